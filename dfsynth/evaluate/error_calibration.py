"""Scores and errors of pairs of known truth: what promises on the errors of images rest on.

The pairs go the way of an evaluation: what the generator sees of them, its samples and its scores
are those of a build.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dfsynth.checkpoint import (
    SEMI_SYNTHETIC,
    CalibrationRow,
    CheckpointFiles,
)
from dfsynth.counted_nouns import counted
from dfsynth.datasets import PairSource, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.evaluate.prediction import PredictedPair, predict_pairs
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.jobs.error_promise import LEAST_PATIENTS, ErrorCalibration, require_patients
from dfsynth.options import ErrorLimit
from dfsynth.progress import Progress
from dfsynth.records import NO_LUNG
from dfsynth.score import score
from dfsynth.statistics import shape_error
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import Fingerprint

_EXPECTED = (
    "expected a store of pairs with the arrays dark_field_clean and lung_mask, as dfsynth simulate "
    "makes them"
)


def measure_errors(
    generator: MapGenerator, source: PairSource, indices: Sequence[int], progress: Progress
) -> tuple[CalibrationRow, ...]:
    """Scores and errors of the pairs `indices`, in order.

    Left out, with a message, are what the filter drops and what has no error: images on which the
    generator finds no lung, and pairs without signal.

    Raises:
        UsageError: a pair of no known truth, which the message describes, or one that cannot be
            read.
        StoreError: a pair cannot be read.
    """
    found, left_out = [], 0
    for pair in predict_pairs(generator, source, indices, progress):
        row = _measure(pair)
        left_out += row is None
        found += [] if row is None else [row]
    if left_out:
        progress.message(
            f"{left_out} of {counted(len(indices), 'pair')} left out of the calibration: no lung "
            "was found on their radiograph, or they hold no signal"
        )
    return tuple(found)


def calibrate_errors(
    files: CheckpointFiles, built: Fingerprint, data: Path, limit: ErrorLimit, progress: Progress
) -> ErrorCalibration:
    """Calibrates with a user's own pairs, generated as the store was that `built` describes.

    Every pair takes part, of whichever split; those of a semi-synthetic target do not.

    Raises:
        UsageError: pairs of no known truth or of too few patients, a store of another shape than
            pairs are read in, or a precision that this machine's device lacks.
        CheckpointError: the weights are damaged.
        StoreError: a damaged store of pairs.
    """
    height, width = built.size
    if height != width:
        raise UsageError(
            f"--calibrate: the store was built at {height}x{width}, and pairs are read into a "
            "square grid; build at a square size"
        )
    if not StoreLayout(data).build.exists():
        raise UsageError(
            f"--calibrate {data}: no store of pairs; images in folders and tables lack the clean "
            f"dark-field image and the lung mask; {_EXPECTED}"
        )
    card = files.card
    source = open_pairs(data, None, height, card.window, card.intensity, card.task_record)
    for warning in source.warnings:
        progress.message(warning)
    indices = _of_known_truth(source, range(len(source.rows)))
    description = f"the pairs of {data.name}"
    patients = len({source.rows[index].patient_id for index in indices})
    require_patients(patients, limit, f"--calibrate: {description}", LEAST_PATIENTS)
    device = resolve_device("auto")
    precision = resolve_precision(built.precision, device)
    generator = load_map_generator(
        files,
        device,
        precision,
        built.mc_samples,
        built.seed,
        built.mc,
        choice=built.sampler_choice,
    )
    progress.start(len(indices))
    rows = measure_errors(generator, source, indices, progress)
    left = len({row.patient_id for row in rows})
    require_patients(left, limit, f"--calibrate: {description} that show a lung", LEAST_PATIENTS)
    return ErrorCalibration(description, rows)


def _of_known_truth(source: PairSource, indices: Sequence[int]) -> tuple[int, ...]:
    return tuple(i for i in indices if source.rows[i].origin not in SEMI_SYNTHETIC)


def _measure(pair: PredictedPair) -> CalibrationRow | None:
    """The pair's row; None where the filter drops its image, or it holds no signal.

    Raises:
        UsageError: its truth is not known.
    """
    image, info = pair.image, pair.info
    if image.clean is None or pair.lung_of != "pairs":
        lacking = [
            name
            for name, missing in (
                ("the clean dark-field image", image.clean is None),
                ("the lung mask", pair.lung_of != "pairs"),
            )
            if missing
        ]
        raise UsageError(f"pair {info.key!r} lacks {' and '.join(lacking)}; {_EXPECTED}")
    scored = score(pair.generated, pair.source)
    # A lung too small to measure is none here; it decides parts of the error, not the whole.
    lung = np.zeros(image.clean.shape, np.bool_) if image.lung is None else image.lung
    error = shape_error(image.stages[-1].mean, image.clean, lung)
    if error is None or NO_LUNG in scored.flags:
        return None
    return CalibrationRow(
        patient_id=info.patient_id,
        origin=info.origin or "unknown",
        # As the manifest holds them, in its precision.
        scores={
            name: float(np.float32(value))
            for name, value in scored.scores.items()
            if value is not None and np.isfinite(value)
        },
        error=error.total,
    )
