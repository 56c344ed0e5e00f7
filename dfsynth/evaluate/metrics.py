"""What is measured of one image: which figures, of which stage, region and target."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.calibration import LEVELS
from dfsynth.evaluate.ranking import REMOVED
from dfsynth.records import Float32Map

Array = NDArray[np.float64]

COVERAGE_NAMES: Final = tuple(f"coverage_{round(100 * level)}" for level in LEVELS)
MEANS: Final = (
    *("mse", "mae", "psnr", "ssim", "pearson", "nll", "crps"),
    *COVERAGE_NAMES,
    *("coverage_gap", "ause", "spearman_pixels"),
)
"""Figures of one image that are averaged over images."""
NAMES: Final = (*MEANS, "error", "uncertainty")
"""`error`: root mean square error; `uncertainty`: root mean variance. Both over the region."""
REGIONS: Final = ("whole", "lung")
TARGET_KINDS: Final = ("noisy", "clean", "oracle")
"""`oracle` is against the noisy target, with what an oracle knows instead of the stage."""


class MetricKey(NamedTuple):
    """What a figure is of."""

    stage: int
    """From 0."""
    region: str
    """One of `REGIONS`."""
    target: str
    """One of `TARGET_KINDS`."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageMetrics:
    """The figures of one image under one key, and some of its pixels in random order."""

    values: Mapping[str, float]
    """`NAMES` → number; NaN where it is not defined."""
    errors: Float32Map
    """(pixels)"""
    sigmas: Float32Map
    """(pixels)"""
    covered: NDArray[np.bool_]
    """(levels, pixels)"""
    curve: Array
    """Sparsification by sigma, (20)."""
    best_curve: Array
    """The same by the error itself, (20)."""

    def first(self, pixels: int) -> "ImageMetrics":
        """The same figures with at most so many pixels."""
        return ImageMetrics(
            self.values,
            self.errors[:pixels].copy(),
            self.sigmas[:pixels].copy(),
            self.covered[:, :pixels].copy(),
            self.curve,
            self.best_curve,
        )


def undefined_metrics() -> ImageMetrics:
    """The metrics of an image that lacks the region or the target."""
    none, gap = np.empty(0, np.float32), np.full(REMOVED.size, np.nan)
    values = dict.fromkeys(NAMES, float("nan"))
    return ImageMetrics(values, none, none, np.empty((len(LEVELS), 0), np.bool_), gap, gap)
