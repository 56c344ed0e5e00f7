"""One evaluation from checkpoint and pairs to figures, with no more than a batch in memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dfsynth.checkpoint import CheckpointFiles, ModelCard, checkpoint_path, read_checkpoint
from dfsynth.datasets import PairSource, numbers_in, open_pairs
from dfsynth.devices import resolve_device, resolve_precision
from dfsynth.errors import UsageError
from dfsynth.evaluate.bootstrap import Interval, draw_patients
from dfsynth.evaluate.calibration import (
    FEW_PATIENTS,
    LEVELS,
    Calibration,
    CalibrationPixels,
    Factors,
    interval_factors,
)
from dfsynth.evaluate.measurement import Measurement
from dfsynth.evaluate.out_of_distribution import detection, list_foreign, score_foreign, spaced
from dfsynth.evaluate.per_image import Gathered, pixels_a_picture, pixels_by_patient
from dfsynth.evaluate.prediction import LungOf, StagedGenerator, predict_pairs
from dfsynth.evaluate.scores import NOTICE, Evaluation, OtherImages
from dfsynth.evaluate.summary import summarise
from dfsynth.inference import load_map_generator
from dfsynth.options import EvaluationOptions
from dfsynth.progress import Progress
from dfsynth.records import Scored
from dfsynth.score import score

_PIXEL_STREAM, _CALIBRATION_STREAM = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationReport:
    """The figures, and those of single pictures."""

    scores: Evaluation
    gathered: Gathered


def evaluate_checkpoint(options: EvaluationOptions, progress: Progress) -> EvaluationReport:
    """Evaluates a checkpoint on pairs.

    Raises:
        UsageError: wrong options, or pairs that cannot be used.
        CheckpointError: a damaged checkpoint.
        DfsynthError: a failure that the message explains.
    """
    files = read_checkpoint(checkpoint_path(options.checkpoint))
    card, device = files.card, resolve_device(options.device)
    precision = resolve_precision(options.precision, device)
    source = open_pairs(options.data, options.targets, _side(card), card.window, card.intensity)
    generator = load_map_generator(files, device, precision, options.mc_samples, options.seed)
    subject = Subject(files, generator, str(device), precision)
    return evaluate_pairs(options, subject, source, progress)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated: a checkpoint made ready."""

    files: CheckpointFiles
    generator: StagedGenerator
    device: str
    precision: str


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """What the test pairs gave."""

    gathered: Gathered
    scored: list[Scored]
    lung_of: LungOf


def evaluate_pairs(
    options: EvaluationOptions, subject: Subject, source: PairSource, progress: Progress
) -> EvaluationReport:
    """The same with pairs that are open and a generator that is ready.

    Raises:
        UsageError: no pairs in the split, no images in `--ood`, or no such calibration.
        DfsynthError: a failure that the message explains.
    """
    card, generator = subject.files.card, subject.generator
    numbers = _choose(source, options.split, options.limit)
    calibrating = _calibrating(source, options, card)
    foreign = None if options.ood is None else list_foreign(options.ood, options.limit)
    for warning in source.warnings:
        progress.message(warning)
    strangers = 0 if foreign is None else len(foreign.items)
    progress.start(len(numbers) + len(calibrating) + strangers)
    calibration = _calibration(options, card, source, calibrating, generator, progress)
    tested = _test(options, card, calibration, source, numbers, generator, progress)
    auroc: dict[str, Interval] | None = None
    others: OtherImages | None = None
    patients = tested.gathered.patients
    if foreign is not None:
        found, failed = score_foreign(foreign, generator, card.grid, card.intensity, progress)
        auroc = detection(tested.scored, patients, found, options.seed)
        others = OtherImages(len(found), failed)
    scores = Evaluation(
        notice=NOTICE,
        checkpoint=card.name,
        checkpoint_sha256=subject.files.sha256,
        data=source.description,
        data_fingerprint=source.fingerprint(),
        split=options.split,
        images=len(numbers),
        patients=len(set(patients)),
        lung_of=tested.lung_of,
        window=card.window,
        mc_samples=options.mc_samples,
        seed=options.seed,
        device=subject.device,
        precision=subject.precision,
        calibration=calibration,
        stages=summarise(tested.gathered, draw_patients(patients, options.seed)),
        ood_auroc=auroc,
        ood=others,
        warnings=(*source.warnings, *_doubts(options, len(set(patients)), calibration)),
    )
    return EvaluationReport(scores, tested.gathered)


def calibrate(
    generator: StagedGenerator,
    source: PairSource,
    numbers: Sequence[int],
    progress: Progress,
    seed: int = 0,
) -> Calibration:
    """The k of each stage for the interval mean ± k · total standard deviation of each level.

    From lung pixels (all pixels of pairs of which no lung is known) of the pairs `numbers`, against
    the unclipped noisy target; every patient counts the same, however many pixels are its lung.
    Pictures with too little lung to measure are left out; where none has more, nothing is
    calibrated, and the source is `density`. The last stage's factors are what a model card keeps.

    Raises:
        UsageError, StoreError: a pair cannot be read.
        ValueError: no pairs.
    """
    if not numbers:
        raise ValueError("expected pairs to calibrate with, found none")
    kept = _calibration_pixels(source, numbers)
    pixels: list[CalibrationPixels] = []
    stages = 0
    for pair in predict_pairs(generator, source, list(kept), progress):
        picture = pair.picture
        stages = len(picture.guesses)
        if picture.lung is None and pair.lung_of != "none":
            continue
        rng = np.random.default_rng([seed, _CALIBRATION_STREAM, pair.number])
        lung = np.ones(picture.noisy.shape, np.bool_) if picture.lung is None else picture.lung
        chosen = rng.permutation(np.flatnonzero(lung))[: kept[pair.number]]
        errors = [(picture.noisy - guess.mean).ravel()[chosen] for guess in picture.guesses]
        sigmas = [guess.sigma.ravel()[chosen] for guess in picture.guesses]
        pixels.append(CalibrationPixels(pair.row.patient_id, np.stack(errors), np.stack(sigmas)))
    if not pixels:
        return Calibration("density", 0, (None,) * stages)
    return Calibration(
        "calibration patients",
        len(pixels),
        interval_factors(pixels),
        len({p.patient_id for p in pixels}),
    )


def _calibration_pixels(source: PairSource, numbers: Sequence[int]) -> dict[int, int]:
    """Pair → how many of its lung pixels calibrate."""
    return pixels_by_patient({number: source.rows[number].patient_id for number in numbers})


def _calibration(
    options: EvaluationOptions,
    card: ModelCard,
    source: PairSource,
    numbers: Sequence[int],
    generator: StagedGenerator,
    progress: Progress,
) -> Calibration:
    stages = card.arguments.stages
    if numbers:
        found = calibrate(generator, source, numbers, progress, options.seed)
        if found.images:
            return found
        if options.calibration == "pairs":
            raise UsageError(
                f"--calibration pairs: none of the {len(numbers)} calibration pairs shows enough "
                "lung; use --calibration card or none"
            )
    if options.calibration in {"auto", "card"} and _has_factors(card):
        # The card knows the last stage alone, which is what a build stores.
        before: tuple[Factors | None, ...] = (None,) * (stages - 1)
        return Calibration("card", 0, (*before, card.calibration))
    return Calibration("density", 0, (None,) * stages)


def _test(
    options: EvaluationOptions,
    card: ModelCard,
    calibration: Calibration,
    source: PairSource,
    numbers: Sequence[int],
    generator: StagedGenerator,
    progress: Progress,
) -> _Tested:
    measurement = Measurement(card.window[1] - card.window[0], calibration.stages)
    gathered, scored, lung_of = Gathered(), [], set[LungOf]()
    kept = pixels_a_picture(len(numbers))
    for pair in predict_pairs(generator, source, numbers, progress):
        rng = np.random.default_rng([options.seed, _PIXEL_STREAM, pair.number])
        gathered.add(pair.row.key, pair.row.patient_id, measurement(pair.picture, rng), kept)
        scored.append(score(pair.generated, pair.source))
        lung_of.add(pair.lung_of)
    # Of a source of pairs either all have a lung or none.
    return _Tested(gathered, scored, lung_of.pop())


def _choose(source: PairSource, split: str, limit: int | None) -> tuple[int, ...]:
    """The pairs of a split, at most `limit`, evenly spaced.

    Raises:
        UsageError: none.
    """
    found = tuple(range(len(source.rows))) if split == "all" else numbers_in(source, split)
    if not found:
        splits = sorted({str(row.split) for row in source.rows})
        raise UsageError(
            f"no pairs of the split {split} in {source.description}: found {', '.join(splits)}; "
            "choose with --split"
        )
    return tuple(found[i] for i in spaced(len(found), limit))


def _calibrating(
    source: PairSource, options: EvaluationOptions, card: ModelCard
) -> tuple[int, ...]:
    """The pairs to calibrate with; none where the factors come from elsewhere.

    Raises:
        UsageError: what was asked for is not there.
    """
    if options.calibration == "card" and not _has_factors(card):
        levels = ", ".join(map(str, LEVELS))
        raise UsageError(
            f"--calibration card: the card of {card.name} has no factors for the levels {levels}; "
            "use --calibration pairs or none"
        )
    tests_them = options.split in {"calibration", "all"}
    if options.calibration == "pairs" or (options.calibration == "auto" and not tests_them):
        found = numbers_in(source, "calibration")
        if not found and options.calibration == "pairs":
            raise UsageError(
                f"--calibration pairs: {source.description} has no calibration patients; "
                "use --calibration card or none"
            )
        return tuple(found[i] for i in spaced(len(found), options.limit))
    return ()


def _has_factors(card: ModelCard) -> bool:
    return all(str(level) in card.calibration for level in LEVELS)


def _side(card: ModelCard) -> int:
    """The side of the checkpoint's grid.

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


def _doubts(options: EvaluationOptions, patients: int, calibration: Calibration) -> tuple[str, ...]:
    found = []
    if options.split != "test":
        found.append(f"split {options.split}: these pairs may have been trained or calibrated with")
    if patients < FEW_PATIENTS:
        found.append(f"{patients} patients only: the intervals say little")
    if calibration.source == "calibration patients":
        found += calibration.doubts()
    if calibration.source == "card":
        found.append(
            "intervals of all stages but the last are those of the density: the card "
            "knows the last alone"
        )
    return tuple(found)
