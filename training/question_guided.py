"""Smooths a restored slice wherever the attenuation beside it has no edge.

He, Sun & Tang, Guided image filtering, IEEE PAMI 2013. How strongly is chosen on the validation
slices of each training, never on those it is tested on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from dfsynth.evaluate.streaks import SliceTruth, measure_slice
from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly a guided filter smooths."""

    radius_px: int
    """Half of the window in which one image is taken for a linear function of the other."""
    least_variance: float
    """Of the guide, in (1/m)²: below it there is noise, above it an edge."""


GRID: Final = tuple(
    Strength(radius, least) for radius in (2, 3, 4, 6) for least in (3.0, 9.0, 27.0)
)
"""What is tried on validation slices."""
MOST_BIAS: Final = 0.05
"""Of the lungs' coefficient, either way, as a share of it."""
MOST_WIDENING: Final = 1.1
"""Line spread over that of the slices before the filter."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What a set of slices reaches; NaN where no slice says so."""

    cnr: float
    """Median over the slices."""
    lung_bias: float
    """Of all lungs together, as a share of their coefficient."""
    fwhm_mm: float
    """Median width of the line-spread function."""


@dataclass(frozen=True, slots=True)
class ChosenStrength:
    """The strength that was best on validation slices, and what it reached there."""

    strength: Strength
    slices: int
    """Validation slices, those that cannot be measured among them."""
    reached: Levels
    unfiltered: Levels
    """The same slices before the filter."""
    within_limits: bool
    """Whether it is the highest CNR within `MOST_BIAS` and `MOST_WIDENING`; else nothing was within
    them, and it is the least bias."""


def guided_filter(image: Float32Map, guide: Float32Map, strength: Strength) -> Float32Map:
    """An image (y, x) that is smooth but where the guide (y, x) has edges, both in 1/m."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return uniform_filter(values, 2 * strength.radius_px + 1)

    smoothed, by = image.astype(np.float64), guide.astype(np.float64)
    level, level_by = mean(smoothed), mean(by)
    covariance = mean(smoothed * by) - level * level_by
    slope = covariance / (mean(by * by) - level_by**2 + strength.least_variance)
    found: Float32Map = (mean(slope) * by + mean(level - slope * level_by)).astype(np.float32)
    return found


def choose_strength(
    images: Sequence[Float32Map], guides: Sequence[Float32Map], known: Sequence[SliceTruth]
) -> ChosenStrength:
    """The strength of `GRID` for slices (y, x) in 1/m like these, whose truth is known."""
    before = _levels(images, known)
    reached = {
        strength: _levels(
            [guided_filter(*pair, strength) for pair in zip(images, guides, strict=True)], known
        )
        for strength in GRID
    }
    best, within = best_strength(before, reached)
    return ChosenStrength(best, len(known), reached[best], before, within)


def best_strength(before: Levels, reached: dict[Strength, Levels]) -> tuple[Strength, bool]:
    """The highest CNR of those within the limits, and True; without any the least bias, and False.

    Of equals the first counts; what is undefined is within no limit, and last.
    """
    allowed = [
        strength
        for strength, found in reached.items()
        if abs(found.lung_bias) < MOST_BIAS
        and found.fwhm_mm <= MOST_WIDENING * before.fwhm_mm
        and math.isfinite(found.cnr)
    ]
    if allowed:
        return max(allowed, key=lambda strength: reached[strength].cnr), True

    def bias(strength: Strength) -> float:
        found = abs(reached[strength].lung_bias)
        return found if math.isfinite(found) else math.inf

    return min(reached, key=bias), False


def _levels(images: Sequence[Float32Map], known: Sequence[SliceTruth]) -> Levels:
    rows = [measure_slice(*pair).values() for pair in zip(images, known, strict=True)]

    def finite(figure: str) -> NDArray[np.float64]:
        values = np.array([row[figure] for row in rows], np.float64)
        return values[np.isfinite(values)]

    cnr, widths, truth = map(finite, ("cnr", "line_spread_fwhm_mm", "lung_truth_per_m"))
    return Levels(
        cnr=float(np.median(cnr)) if cnr.size else math.nan,
        lung_bias=float(finite("lung_bias_per_m").sum() / truth.sum()) if truth.size else math.nan,
        fwhm_mm=float(np.median(widths)) if widths.size else math.nan,
    )
