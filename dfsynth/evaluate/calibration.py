"""Intervals that hold what they promise: their factors, and how far off the stated sigma is.

An interval is mean ± k · sigma with sigma the total standard deviation. Its k for a level is the
quantile of |target − mean| / sigma over lung pixels of the calibration patients, every patient of
the same weight (split conformal prediction with a normalised score: Lei et al., JASA 2018), against
the unclipped noisy target.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.density import SIGMA_FLOOR, central_probability
from dfsynth.statistics import rank_reaching

Array = NDArray[np.float64]
Factors = Mapping[str, float]
"""Level, as text, → k: what the card of a checkpoint keeps as `calibration`."""

LEVELS: Final = (0.5, 0.8, 0.9, 0.95)
HEADLINE_LEVEL: Final = 0.9
"""Of `LEVELS`: what `coverage` without a number is of."""
BINS: Final = 10
GAP_PARTS: Final = 5
FEW_PATIENTS: Final = 10
"""From which an interval over patients begins to say something [assumed]."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where the factors of the intervals come from, and the factors of each stage."""

    source: Literal["calibration patients", "controlled risk", "card", "density"]
    """`controlled risk`: of the calibration patients too, with a guarantee over them; `density`: no
    factors, each pixel's interval is that of its own predictive density."""
    images: int
    """Of the calibration patients."""
    stages: tuple[Factors | None, ...]
    """Null where a stage has none, and the density's own quantiles stand in."""
    patients: int = 0
    """Of the calibration patients."""

    def warnings(self) -> tuple[str, ...]:
        """Sentences on what the factors cannot promise."""
        if self.source == "density":
            return ("no calibration image shows enough lung: the intervals are not calibrated",)
        if self.source == "calibration patients" and self.patients < FEW_PATIENTS:
            return (
                f"the intervals are calibrated on {counted(self.images, 'image')} of "
                f"{counted(self.patients, 'patient')} only; for other patients they may be off",
            )
        return ()


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationPixels:
    """Pixels of one calibration image, as every stage sees them."""

    patient_id: str
    errors: NDArray[np.floating]
    """(stages, pixels): noisy target less mean."""
    sigmas: NDArray[np.floating]
    """(stages, pixels)."""


def interval_factors(images: Sequence[CalibrationPixels]) -> tuple[dict[str, float], ...]:
    """The k of each level for each stage; all pixels of a patient weigh as much as another's.

    Raises:
        ValueError: no pixel.
    """
    if not any(image.errors.size for image in images):
        raise ValueError("expected pixels to calibrate with, found none")
    _, patients = np.unique([image.patient_id for image in images], return_inverse=True)
    owners = np.repeat(patients, [image.errors.shape[1] for image in images])
    errors = np.concatenate([p.errors for p in images], axis=1).astype(np.float64)
    sigmas = np.concatenate([p.sigmas for p in images], axis=1).astype(np.float64)
    found = []
    for ratio in np.abs(errors) / np.maximum(sigmas, SIGMA_FLOOR):
        order = np.argsort(ratio)
        ranked, owned = ratio[order], owners[order]
        found.append({str(level): _reached(ranked, owned, str(level)) for level in LEVELS})
    return tuple(found)


def _reached(ranked: Array, owners: NDArray[np.intp], level: str) -> float:
    """The least of the ratios (pixels), in order, that as large a share of patients stays below."""
    rank = rank_reaching(owners, Fraction(level))
    assert rank is not None, "all pixels together reach every level"
    return float(ranked[rank - 1])


def covered(error: Array, sigma: Array, beta: Array, factors: Factors | None) -> NDArray[np.bool_]:
    """Whether each interval of `LEVELS` holds the target, (levels, pixels).

    `error`, `sigma` and `beta` are (pixels). Without factors an interval is the central one of the
    pixel's predictive density.
    """
    if factors is None:
        probability = central_probability(error, sigma, beta)
        return np.stack([probability <= level for level in LEVELS])
    ratio = np.abs(error) / np.maximum(sigma, SIGMA_FLOOR)
    return np.stack([ratio <= factors[str(level)] for level in LEVELS])


def coverage_gap(inside: NDArray[np.bool_], value: Array) -> float:
    """How far intervals are from `HEADLINE_LEVEL` in faint and in strong parts of one image.

    The mean over fifths of the pixels, ordered by the value that is predicted, of
    |coverage − level|: CovGap of Ding et al. (NeurIPS 2023), as a share, with fifths in place of
    classes. Intervals may hold what they promise over an image, and too much in one part of it and
    too little in another.

    Args:
        inside: Whether each interval of `LEVELS` holds the target, (levels, pixels).
        value: Predicted, (pixels).

    Returns:
        0 to `HEADLINE_LEVEL`; NaN with fewer pixels than fifths.
    """
    if value.size < GAP_PARTS:
        return float("nan")
    held = inside[LEVELS.index(HEADLINE_LEVEL)][np.argsort(value, kind="stable")]
    parts = np.array_split(held, GAP_PARTS)
    return float(np.mean([abs(part.mean() - HEADLINE_LEVEL) for part in parts]))


def bin_edges(sigmas: Sequence[NDArray[np.floating]]) -> Array:
    """The inner edges (9) of ten bins with equally many of all pixels; `sigmas`: (pixels) each."""
    return np.asarray(np.quantile(np.concatenate(sigmas), np.arange(1, BINS) / BINS), np.float64)


def bin_sums(
    values: NDArray[np.floating], sigma: NDArray[np.floating], edges: Array
) -> NDArray[np.float64]:
    """Sums of `values` (pixels) over the pixels of each bin of `sigma` (pixels), (10,)."""
    bins = np.searchsorted(edges, sigma, side="right")
    sums = np.bincount(bins, weights=values.astype(np.float64), minlength=BINS)
    return sums.astype(np.float64)


def expected_normalised_error(sums: Array) -> Array:
    """ENCE: mean over bins of |RMV − RMSE| / RMV (Levi et al., Sensors 2022), (draws,).

    sums: (draws, 30), the pixels, sigma² and error² of the ten bins; RMV is the root of the mean
    variance of a bin, RMSE the root of its mean squared error. Empty bins do not count.
    """
    pixels, variance, square = np.split(sums, 3, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        stated, found = np.sqrt(variance / pixels), np.sqrt(square / pixels)
        off = np.where(pixels > 0, np.abs(stated - found) / stated, 0.0)
        return np.asarray(off.sum(axis=1) / (pixels > 0).sum(axis=1))
