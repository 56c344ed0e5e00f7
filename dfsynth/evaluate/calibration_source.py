"""Where the interval factors of an evaluation come from: calibration patients, card or density."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from dfsynth.checkpoint import ModelCard
from dfsynth.counted_nouns import counted
from dfsynth.datasets import PairSource, indices_in
from dfsynth.errors import UsageError
from dfsynth.evaluate.calibration import (
    LEVELS,
    Calibration,
    CalibrationPixels,
    Factors,
    interval_factors,
)
from dfsynth.evaluate.controlled_risk import FEWEST_PATIENTS, controlled_factors
from dfsynth.evaluate.few_samples import factors_at
from dfsynth.evaluate.per_image import pixels_by_patient
from dfsynth.evaluate.prediction import PredictedPair, predict_pairs
from dfsynth.evaluate.selection import draw_pixels, evenly_spaced
from dfsynth.inference import MapGenerator
from dfsynth.options import DEFAULT_MC_SAMPLES, EvaluationOptions
from dfsynth.progress import Progress

_OF_PAIRS: Final = frozenset({"pairs", "controlled"})
"""Choices that ask for calibration patients, and take nothing else."""
_STREAM: Final = 2
"""Of random numbers: those of the pixels that calibrate."""


def choose_calibration_pairs(
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
    asked = options.calibration in _OF_PAIRS
    if asked or (options.calibration == "auto" and not tests_them):
        found = indices_in(source, "calibration")
        if not found and asked:
            raise UsageError(
                f"--calibration {options.calibration}: {source.description} has no calibration "
                "patients; use --calibration card or none"
            )
        chosen = tuple(found[i] for i in evenly_spaced(len(found), options.limit))
        if options.calibration == "controlled":
            # Before hours of predictions that could promise nothing.
            _require_patients(len({source.rows[i].patient_id for i in chosen}))
        return chosen
    return ()


def find_calibration(
    options: EvaluationOptions,
    card: ModelCard,
    source: PairSource,
    indices: Sequence[int],
    generator: MapGenerator,
    progress: Progress,
) -> Calibration:
    """The factors from the pairs `indices`, else from the card, else none: the density decides.

    Those of the card are brought to the number of samples of these options.

    Raises:
        UsageError: pairs were asked for and none shows enough lung, or one cannot be read.
        StoreError: a pair cannot be read.
    """
    stages = card.arguments.stages
    if indices:
        controlled = options.calibration == "controlled"
        found = calibrate(generator, source, indices, progress, options.seed, controlled=controlled)
        if found.images:
            return found
        if options.calibration in _OF_PAIRS:
            raise UsageError(
                f"--calibration {options.calibration}: none of "
                f"{counted(len(indices), 'calibration pair')} shows enough lung; use "
                "--calibration card or none"
            )
    if options.calibration in {"auto", "card"} and _has_factors(card):
        # The card knows the last stage alone, which is what a build stores.
        before: tuple[Factors | None, ...] = (None,) * (stages - 1)
        own = factors_at(card.calibration, card.arguments, DEFAULT_MC_SAMPLES, options.mc_samples)
        return Calibration("card", 0, (*before, own))
    return Calibration("density", 0, (None,) * stages)


def calibrate(
    generator: MapGenerator,
    source: PairSource,
    indices: Sequence[int],
    progress: Progress,
    seed: int = 0,
    *,
    controlled: bool = False,
) -> Calibration:
    """The k of each stage for the interval mean ± k · total standard deviation of each level.

    From lung pixels (all pixels of pairs of which no lung is known) of the pairs `indices`, against
    the unclipped noisy target; every patient counts the same, however many pixels are its lung.
    Images with too little lung to measure are left out; where none has more, nothing is calibrated,
    and the source is `density`. The last stage's factors are what a model card keeps. Where the
    risk is to be `controlled`, factors are those of `dfsynth.evaluate.controlled_risk`.

    Raises:
        UsageError: too few patients to control the risk with.
        UsageError, StoreError: a pair cannot be read.
        ValueError: no pairs.
    """
    if not indices:
        raise ValueError("expected pairs to calibrate with, found none")
    kept = pixels_by_patient({index: source.rows[index].patient_id for index in indices})
    pixels: list[CalibrationPixels] = []
    stages = 0
    for pair in predict_pairs(generator, source, list(kept), progress):
        stages = len(pair.image.stages)
        if pair.image.lung is None and pair.lung_of != "none":
            continue
        rng = np.random.default_rng([seed, _STREAM, pair.index])
        pixels.append(_calibrating_pixels(pair, kept[pair.index], rng))
    if not pixels:
        return Calibration("density", 0, (None,) * stages)
    patients = len({p.patient_id for p in pixels})
    if not controlled:
        factors = interval_factors(pixels)
        return Calibration("calibration patients", len(pixels), factors, patients)
    _require_patients(patients)
    return Calibration("controlled risk", len(pixels), controlled_factors(pixels), patients)


def _require_patients(patients: int) -> None:
    """Requires enough calibration patients, of whom there is enough to measure, for a guarantee."""
    if patients < FEWEST_PATIENTS:
        raise UsageError(
            f"--calibration controlled: {counted(patients, 'calibration patient')} with enough to "
            f"measure; a guarantee for intervals of {max(LEVELS):.0%} takes {FEWEST_PATIENTS}; "
            "use more, or a larger --limit, or --calibration pairs"
        )


def _calibrating_pixels(
    pair: PredictedPair, most: int, rng: np.random.Generator
) -> CalibrationPixels:
    """At most so many pixels of the lung, or of the whole image where no lung is known."""
    image = pair.image
    lung = np.ones(image.noisy.shape, np.bool_) if image.lung is None else image.lung
    chosen = draw_pixels(lung, most, rng)
    errors = [(image.noisy - stage.mean).ravel()[chosen] for stage in image.stages]
    sigmas = [stage.sigma.ravel()[chosen] for stage in image.stages]
    return CalibrationPixels(pair.info.patient_id, np.stack(errors), np.stack(sigmas))


def _has_factors(card: ModelCard) -> bool:
    return all(str(level) in card.calibration for level in LEVELS)
