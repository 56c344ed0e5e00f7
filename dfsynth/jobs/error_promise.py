"""A promise on the errors of kept images: the threshold that keeps it, and what it rests on."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.checkpoint import (
    CalibrationRow,
    CheckpointFiles,
    calibrated_checkpoints,
    choose_sampler,
)
from dfsynth.counted_nouns import counted
from dfsynth.errors import ConflictError, UsageError
from dfsynth.options import DEFAULT_MC_SAMPLES, ErrorLimit
from dfsynth.records import (
    AS_THE_CARD_SAYS,
    MONTE_CARLO_MODES,
    MonteCarloMode,
    SamplerSettings,
    Task,
)
from dfsynth.statistics import (
    attainable_error,
    attainable_risk,
    fewest_patients,
    find_threshold,
    lowest_risk,
)
from dfsynth.store.build_record import Fingerprint

LEAST_PATIENTS: Final = 20
"""Of a user's own pairs: what fewer can promise is hardly worth asking for."""


@dataclass(frozen=True, slots=True)
class ErrorPromise:
    """Images whose `column` is at most `threshold` keep a limit of error, and on what ground."""

    column: str
    threshold: float
    max_error: float
    """Of shape: see `dfsynth.statistics.shape_error`."""
    risk: float
    """At most this share of kept images has a larger error, every patient counting the same."""
    confidence: float
    """The probability, over draws of calibration patients, that this is so."""
    calibration: str
    """Where the calibration images come from."""
    patients: int
    """Of the calibration."""
    images: int
    """Of the calibration."""
    origins: Mapping[str, int]
    """Origin → calibration patients."""
    lowest_risk: float
    """What so many patients could promise at best, with this confidence."""
    assumption: str
    """On what condition: a clause."""


@dataclass(frozen=True, slots=True)
class ErrorCalibration:
    """Images of known error to find a threshold with."""

    description: str
    """What messages and promises call them."""
    rows: tuple[CalibrationRow, ...]


def no_errors_known(task: Task) -> str | None:
    """Why errors of a task's images cannot be told by any calibration; None where they can."""
    if task.pairs.clean is not None and task.pairs.lung is not None:
        return None
    return (
        f"it is told by pairs with a clean truth and a lung mask, and the task {task.name} has no "
        "such pairs; choose by a share or by a score"
    )


def packaged_calibration(files: CheckpointFiles, built: Fingerprint) -> ErrorCalibration:
    """The table in a checkpoint's card, for a store that was built as the table was made.

    Raises:
        UsageError: the card has no such table.
        ConflictError: the store's images have another size, or were sampled otherwise.
    """
    card = files.card
    if not card.error_calibration:
        raise UsageError(
            f"the checkpoint {card.name} has no error calibration to promise by; "
            f"{calibrated_checkpoints(card.task)}; build with one of them, or calibrate with your "
            "own pairs: --calibrate PAIRS"
        )
    own = choose_sampler(card.arguments, AS_THE_CARD_SAYS)
    found = (built.size, built.mc_samples, built.mc, built.sampling or own)
    expected = (card.grid, DEFAULT_MC_SAMPLES, MONTE_CARLO_MODES[0], own)
    if found != expected:
        raise ConflictError(
            f"the store was built at {_settings(*found)}, the error calibration of {card.name} at "
            f"{_settings(*expected)}, and scores differ between them; build at the same, or "
            "calibrate at the store's with your own pairs: --calibrate PAIRS"
        )
    return ErrorCalibration(f"the calibration images of {card.name}", card.error_calibration)


def make_promise(calibration: ErrorCalibration, limit: ErrorLimit) -> ErrorPromise:
    """The promise with the largest threshold.

    Raises:
        UsageError: the calibration lacks the column, or no threshold can give the promise; the
            message says what could be promised.
    """
    rows = [row for row in calibration.rows if limit.column in row.scores]
    if not rows:
        known = sorted({name for row in calibration.rows for name in row.scores})
        raise UsageError(
            f"{calibration.description} have no {limit.column}; expected one of "
            f"{', '.join(known)}; choose with --by"
        )
    scores, errors, patients = _columns_of(rows, limit.column)
    count = len(set(patients))
    require_patients(count, limit, calibration.description)
    failed = errors > limit.max_error
    found = find_threshold(scores, failed, patients, limit.risk, limit.confidence)
    if found is None:
        risk = attainable_risk(scores, failed, patients, limit.confidence)
        error = attainable_error(scores, errors, patients, limit.risk, limit.confidence)
        raise UsageError(_refusal(limit, calibration.description, count, risk, error))
    origins = _patients_by_origin(rows)
    kinds = ", ".join(f"{patients} {origin}" for origin, patients in origins.items())
    return ErrorPromise(
        column=limit.column,
        threshold=found.threshold,
        max_error=limit.max_error,
        risk=limit.risk,
        confidence=limit.confidence,
        calibration=calibration.description,
        patients=count,
        images=len(rows),
        origins=origins,
        lowest_risk=lowest_risk(count, limit.confidence),
        assumption=(
            f"if they are exchangeable with {calibration.description}, "
            f"{counted(count, 'patient')} ({kinds}) on whom the generator was not trained"
        ),
    )


def promised_threshold(calibration: ErrorCalibration, limit: ErrorLimit) -> float | None:
    """The threshold that `make_promise` finds; None where it refuses."""
    rows = [row for row in calibration.rows if limit.column in row.scores]
    scores, errors, patients = _columns_of(rows, limit.column)
    if len(set(patients)) < fewest_patients(limit.risk, limit.confidence):
        return None
    failed = errors > limit.max_error
    found = find_threshold(scores, failed, patients, limit.risk, limit.confidence)
    return None if found is None else found.threshold


def require_patients(count: int, limit: ErrorLimit, description: str, least: int = 1) -> None:
    """Requires enough calibration patients to promise the risk if none of their images fails.

    Raises:
        UsageError: there are fewer, or fewer than `least`.
    """
    fewest = max(fewest_patients(limit.risk, limit.confidence), least)
    if count >= fewest:
        return
    best = f"{lowest_risk(count, limit.confidence):.3f}" if count else "1"
    raise UsageError(
        f"{description}: {counted(count, 'patient')}, who can promise no --risk below {best} at a "
        f"confidence of {limit.confidence:g}; expected {fewest} or more for --risk {limit.risk:g}"
    )


def _columns_of(
    rows: Sequence[CalibrationRow], column: str
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.str_]]:
    """Scores, as the manifest holds them, errors and patients of calibration images."""
    scores = np.array([row.scores[column] for row in rows], np.float32)
    errors = np.array([row.error for row in rows])
    return scores, errors, np.array([row.patient_id for row in rows])


def _refusal(
    limit: ErrorLimit, description: str, patients: int, risk: float | None, error: float | None
) -> str:
    best = []
    if risk is not None:
        best.append(f"--risk {risk:g} at --max-error {limit.max_error:g}")
    if error is not None and error < 1:
        # Rounded up: what is printed can be given.
        best.append(f"--max-error {math.ceil(error * 1000) / 1000:g} at --risk {limit.risk:g}")
    return (
        f"no threshold of {limit.column} can promise errors of at most {limit.max_error:g} but "
        f"for a share of {limit.risk:g} at a confidence of {limit.confidence:g}: of "
        f"{counted(patients, 'patient')} of {description}, too many of those with the lowest "
        f"{limit.column} have larger ones; the best that they could promise is "
        f"{' or '.join(best) or 'nothing'}"
    )


def _patients_by_origin(rows: Sequence[CalibrationRow]) -> dict[str, int]:
    return dict(sorted(Counter({row.patient_id: row.origin for row in rows}.values()).items()))


def _settings(
    size: tuple[int, int], mc_samples: int, mc: MonteCarloMode, sampling: SamplerSettings | None
) -> str:
    sampled = counted(mc_samples, "sample") if mc == "full" else "--mc fast"
    if sampling is not None:
        sampled += f" by {sampling.words}"
    return f"{size[0]}x{size[1]} with {sampled}"
