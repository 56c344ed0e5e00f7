"""The error to expect of what a threshold keeps, by the calibration images of the checkpoint."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from dfsynth.checkpoint import CalibrationRow
from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.jobs.error_promise import (
    ErrorCalibration,
    no_errors_known,
    packaged_calibration,
    promised_threshold,
)
from dfsynth.jobs.store_checkpoint import find_checkpoint
from dfsynth.options import DEFAULT_CONFIDENCE, DEFAULT_RISK, ErrorLimit
from dfsynth.report.browser import ErrorCurve, PromisedThreshold
from dfsynth.statistics import resample_patients
from dfsynth.store.build_record import BuildRecord

_THRESHOLDS: Final = 160
"""Of one curve, at most."""
_LIMITS: Final = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
"""Errors that a promise is tried for."""
_SEED: Final = 0
_PERCENTILES: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class ExpectedErrors:
    """A curve for each column that the calibration knows, and what they rest on."""

    curves: tuple[ErrorCurve, ...]
    basis: str
    """A sentence; why there are no curves, where there are none."""
    checkpoint: str | None = None
    """The last name of the checkpoint that was given; null where it is found by the store."""


def expected_errors(record: BuildRecord, checkpoint: str | None) -> ExpectedErrors:
    """What the calibration table of the store's checkpoint says of its images.

    Args:
        record: Of the store.
        checkpoint: The name or folder of its checkpoint; by default the packaged one.

    Raises:
        UsageError, ConflictError: `checkpoint` was given, and is none, or another one.
        CheckpointError: a damaged checkpoint.
    """
    if (reason := no_errors_known(record.task)) is not None:
        if checkpoint is not None:
            find_checkpoint(record, checkpoint)
        return ExpectedErrors((), f"No error is known of what is kept: {reason}.")
    try:
        files = find_checkpoint(record, checkpoint)
        calibration = packaged_calibration(files, record.fingerprint)
    except UsageError as error:
        if checkpoint is not None:
            raise
        return ExpectedErrors((), f"No error is known of what is kept: {error}.")
    names = sorted({name for row in calibration.rows for name in row.scores})
    curves = tuple(_curve(name, calibration) for name in names)
    patients = len({row.patient_id for row in calibration.rows})
    return ExpectedErrors(
        curves,
        f"From {calibration.description}: {counted(len(calibration.rows), 'simulated image')} of "
        f"{counted(patients, 'patient')} on whom the generator was not trained, as far as the "
        "images of this store are like them. The error is that of shape, from 0 to 1; every "
        "patient counts the same.",
        None if checkpoint is None else Path(checkpoint).resolve().name,
    )


def _curve(name: str, calibration: ErrorCalibration) -> ErrorCurve:
    rows = [row for row in calibration.rows if name in row.scores]
    scores = np.array([row.scores[name] for row in rows], np.float32).astype(np.float64)
    marks = np.unique(np.quantile(scores, np.linspace(0, 1, _THRESHOLDS), method="higher"))
    means, kept = _patient_means(rows, scores, marks)
    weights = resample_patients([str(n) for n in range(len(means))], _SEED).weights
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (weights @ means) / (weights @ kept)
        ends = np.nanpercentile(draws[1:], _PERCENTILES, axis=0) if len(draws) > 1 else None
    patients = kept.sum(axis=0).astype(int)
    lone = patients < 2

    def end(which: int) -> list[float | None]:
        if ends is None:
            return [None] * len(marks)
        return [None if one else float(v) for v, one in zip(ends[which], lone, strict=True)]

    return ErrorCurve(
        column=name,
        thresholds=marks.tolist(),
        patients=patients.tolist(),
        mean=draws[0].tolist(),
        low=end(0),
        high=end(1),
        promises=_promises(name, calibration),
    )


def _patient_means(
    rows: Sequence[CalibrationRow], scores: np.ndarray, marks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each patient's mean error up to each mark, 0 where nothing is kept, and whether something is.

    Returns:
        Two arrays (patients, marks).
    """
    errors = np.array([row.error for row in rows])
    owners = np.unique([row.patient_id for row in rows], return_inverse=True)[1]
    count = owners.max() + 1
    below = scores[:, None] <= marks
    held, sums = np.zeros((count, len(marks))), np.zeros((count, len(marks)))
    np.add.at(held, owners, below)
    np.add.at(sums, owners, below * errors[:, None])
    return np.divide(sums, held, out=np.zeros_like(sums), where=held > 0), (held > 0).astype(float)


def _promises(name: str, calibration: ErrorCalibration) -> tuple[PromisedThreshold, ...]:
    asked = (ErrorLimit(e, DEFAULT_RISK, DEFAULT_CONFIDENCE, name) for e in _LIMITS)
    found = [(limit.max_error, promised_threshold(calibration, limit)) for limit in asked]
    return tuple(PromisedThreshold(e, t) for e, t in found if t is not None)
