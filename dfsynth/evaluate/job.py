"""A whole evaluation: pairs → predict → measure → report, with a batch in memory at a time."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.checkpoint import (
    CheckpointFiles,
    ModelCard,
    checkpoint_path,
    choose_sampler,
    read_checkpoint,
    require_sampling,
)
from dfsynth.checkpoint.packaged import require_members
from dfsynth.counted_nouns import counted
from dfsynth.datasets import JudgedPairs, PairSource, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.evaluate.calibration import FEW_PATIENTS, Calibration
from dfsynth.evaluate.calibration_source import choose_calibration_pairs, find_calibration
from dfsynth.evaluate.detection import (
    OutOfDistributionImages,
    list_ood_images,
    measure_detection,
)
from dfsynth.evaluate.measurement import Measurement
from dfsynth.evaluate.metrics import MetricKey
from dfsynth.evaluate.output import EvaluationReport, prepare_output, write_report
from dfsynth.evaluate.outside_lung import OutsideSignal, measure_outside, summarise_outside
from dfsynth.evaluate.per_image import PerImageMetrics, pixels_per_image
from dfsynth.evaluate.prediction import LungOf, predict_pairs
from dfsynth.evaluate.restoration import RestorationEvaluation, RestorationMeasurement
from dfsynth.evaluate.risk_coverage import (
    measure_risk_coverage,
    missing_scores,
    shape_error_of,
)
from dfsynth.evaluate.scores import Evaluation
from dfsynth.evaluate.selection import choose_pairs
from dfsynth.evaluate.slice_measurement import SliceEvaluation, SliceMeasurement
from dfsynth.evaluate.summary import summarise
from dfsynth.inference import MapGenerator, load_map_generator
from dfsynth.options import EvaluationOptions
from dfsynth.options.checks import require_disk
from dfsynth.progress import Progress
from dfsynth.records import AS_THE_CARD_SAYS, Scored
from dfsynth.score import score
from dfsynth.statistics import resample_patients

_STREAM: Final = 1
"""Of random numbers: those of the pixels that are measured."""


@dataclass(frozen=True, slots=True)
class EvaluatedCheckpoint:
    """A checkpoint made ready."""

    files: CheckpointFiles
    generator: MapGenerator
    device: str
    precision: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """What the test pairs gave."""

    metrics: PerImageMetrics
    scored: list[Scored]
    """One for each image."""
    shape_errors: list[float]
    """One for each image, in [0, 1]; NaN where it is not known."""
    lung_of: LungOf
    outside: list[OutsideSignal]
    """One for each image."""
    slices: SliceMeasurement
    restored: RestorationMeasurement


def run_evaluation(
    options: EvaluationOptions, out: Path | None, progress: Progress
) -> EvaluationReport:
    """Evaluates a checkpoint on pairs and, with `out`, writes the files of the report there.

    The options and the folder are tried before anything is computed.

    Raises:
        UsageError: wrong options, an `out` that is on no disk, or pairs that cannot be used.
        CheckpointError: a damaged checkpoint.
        UnwrittenReportError: the files could not be written in the end; it holds the report.
        StoreError: `out` cannot be written, or a damaged store.
    """
    require_disk(out)
    files = read_checkpoint(checkpoint_path(options.checkpoint))
    choose_sampler(files.card.arguments, options.sampler_choice)
    require_sampling(files.card.arguments, options.mc_samples, options.mc)
    made = out is not None and prepare_output(out)
    try:
        report = _evaluate(options, files, progress)
    except DfsynthError:
        if made and out is not None:
            # Nothing was measured: the folder is empty, and nobody asked for that.
            with suppress(OSError):
                out.rmdir()
        raise
    if out is not None:
        write_report(report, out)
    return report


def _evaluate(
    options: EvaluationOptions, files: CheckpointFiles, progress: Progress
) -> EvaluationReport:
    card, device = files.card, resolve_device(options.device)
    precision = resolve_precision(options.precision, device)
    source = open_pairs(
        options.data, options.targets, _side(card), card.window, card.intensity, card.task_record
    )
    if options.mc == "fast":
        require_members(files)
    generator = load_map_generator(
        files,
        device,
        precision,
        options.mc_samples,
        options.seed,
        options.mc,
        choice=options.sampler_choice,
    )
    checkpoint = EvaluatedCheckpoint(files, generator, str(device), precision)
    return evaluate_pairs(options, checkpoint, source, progress)


def evaluate_pairs(
    options: EvaluationOptions,
    checkpoint: EvaluatedCheckpoint,
    source: PairSource,
    progress: Progress,
) -> EvaluationReport:
    """Evaluates a checkpoint that is ready on pairs that are open; writes nothing.

    Raises:
        UsageError: no pairs in the split, no images in `--ood`, no such calibration, or files whose
            values the task cannot mean.
        StoreError: a damaged store.
    """
    card, generator = checkpoint.files.card, checkpoint.generator
    indices = choose_pairs(source, options.split, options.limit)
    calibrating = choose_calibration_pairs(source, options, card)
    ood_images = None if options.ood is None else list_ood_images(options.ood, options.limit, card)
    for warning in source.warnings:
        progress.message(warning)
    pairs = JudgedPairs(source)
    pairs.require_meant((*indices, *calibrating))
    progress.start(len(indices) + len(calibrating) + (len(ood_images.items) if ood_images else 0))
    calibration = find_calibration(options, card, pairs, calibrating, generator, progress)
    tested = _test(options, card, calibration, pairs, indices, generator, progress)
    scores = _summarise(options, checkpoint, pairs, calibration, tested, ood_images, progress)
    slices = tested.slices if tested.slices.keys else None
    restored = tested.restored if tested.restored.patients else None
    return EvaluationReport(scores, tested.metrics, tuple(tested.outside), slices, restored)


def _test(
    options: EvaluationOptions,
    card: ModelCard,
    calibration: Calibration,
    source: PairSource,
    indices: Sequence[int],
    generator: MapGenerator,
    progress: Progress,
) -> _Tested:
    measurement = Measurement(card.window[1] - card.window[0], calibration.stages)
    metrics, lung_of = PerImageMetrics(), set[LungOf]()
    scored, shape_errors, outside = [], [], []
    kept = pixels_per_image(len(indices))
    slices, restored = SliceMeasurement(card.task_record), RestorationMeasurement(card.task_record)
    for pair in predict_pairs(generator, source, indices, progress):
        rng = np.random.default_rng([options.seed, _STREAM, pair.index])
        metrics.add(pair.info.key, pair.info.patient_id, measurement(pair.image, rng), kept)
        scored.append(score(pair.generated, pair.source))
        shape_errors.append(shape_error_of(pair.image))
        outside.append(measure_outside(pair.image))
        lung_of.add(pair.lung_of)
        slices.add(pair)
        restored.add(pair)
    # Of a source of pairs either all have a lung or none.
    return _Tested(metrics, scored, shape_errors, lung_of.pop(), outside, slices, restored)


def _summarise(
    options: EvaluationOptions,
    checkpoint: EvaluatedCheckpoint,
    source: JudgedPairs,
    calibration: Calibration,
    tested: _Tested,
    ood_images: OutOfDistributionImages | None,
    progress: Progress,
) -> Evaluation:
    """All figures of the test pairs, and of the out-of-distribution images where there are any."""
    card, patients = checkpoint.files.card, tested.metrics.patients
    auroc = ood = None
    if ood_images is not None:
        auroc, ood = measure_detection(
            ood_images, tested.scored, patients, checkpoint.generator, card, options.seed, progress
        )
    count = len(set(patients))
    resamples = resample_patients(patients, options.seed)
    risk_coverage = measure_risk_coverage(_errors(tested), tested.scored, resamples)
    found = Evaluation(
        notice=_notice(card),
        checkpoint=card.name,
        checkpoint_sha256=checkpoint.files.sha256,
        data=source.description,
        data_fingerprint=source.fingerprint(),
        split=options.split,
        images=len(patients),
        patients=count,
        lung_of=tested.lung_of,
        window=card.window,
        mc_samples=options.mc_samples,
        sampling=choose_sampler(card.arguments, options.sampler_choice),
        seed=options.seed,
        device=checkpoint.device,
        precision=checkpoint.precision,
        calibration=calibration,
        stages=summarise(tested.metrics, resamples),
        outside_lung=summarise_outside(tested.outside, tested.metrics.keys, resamples),
        ood_auroc=auroc,
        ood=ood,
        risk_coverage=risk_coverage,
        warnings=(
            *source.warnings,
            *source.remarks(),
            *_warnings(options, card, count, calibration),
            *([] if risk_coverage is None else _left_out(tested.scored)),
            *tested.slices.warnings(),
            *tested.restored.warnings(),
        ),
    )
    if tested.slices.keys:
        return SliceEvaluation(**_fields_of(found), streaks=tested.slices.summary(options.seed))
    if tested.restored.patients:
        restoration = tested.restored.summary(options.seed)
        return RestorationEvaluation(**_fields_of(found), restoration=restoration)
    return found


def _notice(card: ModelCard) -> str:
    noun = card.task_record.output.noun
    return f"Figures of synthetic {noun}s, for research only, not for diagnosis."


def _fields_of(found: Evaluation) -> dict[str, Any]:
    return {each.name: getattr(found, each.name) for each in fields(found)}


def _errors(tested: _Tested) -> dict[str, NDArray[np.float64]]:
    """The errors of the last stage that a filter should keep low, (images); NaN where unknown."""
    in_lung = MetricKey(tested.metrics.stages - 1, "lung", "clean")
    return {
        "shape": np.array(tested.shape_errors),
        "lung_mae": tested.metrics.values(in_lung, "mae"),
    }


def _left_out(scored: Sequence[Scored]) -> list[str]:
    names = ", ".join(missing_scores(scored))
    return [f"risk against coverage leaves out {names}: no image has it"] if names else []


def _side(card: ModelCard) -> int:
    """The side of the checkpoint's grid in pixels.

    Raises:
        UsageError: the grid is no square.
    """
    height, width = card.grid
    if height != width:
        raise UsageError(
            f"the checkpoint {card.name} was trained at {height}x{width}; pairs are read into a "
            "square grid; train at a square size to evaluate"
        )
    return height


def _warnings(
    options: EvaluationOptions, card: ModelCard, patients: int, calibration: Calibration
) -> tuple[str, ...]:
    found = []
    if options.split != "test":
        found.append(f"split {options.split}: these pairs may have been trained or calibrated with")
    if patients < FEW_PATIENTS:
        found.append(f"{counted(patients, 'patient')} only: the intervals say little")
    if calibration.source == "calibration patients":
        found += calibration.warnings()
    if calibration.source == "card":
        if card.arguments.stages > 1:
            found.append(
                "intervals of all stages but the last are those of the density: the card "
                "knows the last alone"
            )
        own = choose_sampler(card.arguments, AS_THE_CARD_SAYS)
        drawn = choose_sampler(card.arguments, options.sampler_choice)
        if own is not None and drawn is not None and drawn != own:
            found.append(
                f"the card's intervals were calibrated with {own.words}: those of {drawn.words} "
                "may hold more or less than they say"
            )
    return tuple(found)
