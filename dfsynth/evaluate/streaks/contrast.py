"""Contrast-to-noise ratio of lung against air."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.streaks.regions import RegionPair
from dfsynth.statistics import contrast_to_noise


def region_contrast(image: NDArray[np.floating], regions: RegionPair | None) -> float:
    """`contrast_to_noise` of an image (y, x) from two squares, as Frey et al.; NaN without them."""
    if regions is None:
        return float("nan")
    return contrast_to_noise(regions.lung.of(image), regions.air.of(image))


def contrast_to_error(
    image: NDArray[np.floating], truth: NDArray[np.floating], regions: RegionPair | None
) -> float:
    """Contrast of an image (y, x) over the spread of its errors in two squares, without unit.

    The variances of Frey et al. hold the lung's own unevenness beside noise and streaks: the CNR of
    the truth is finite, and an image above it has lost anatomy. With the truth (y, x), in the unit
    of the image, the variances here are of image less truth, and nothing caps the ratio. NaN
    without regions, and without any error.
    """
    if regions is None:
        return float("nan")
    lung, air = regions.lung, regions.air
    contrast = lung.of(image).mean(dtype=np.float64) - air.of(image).mean(dtype=np.float64)
    error = image.astype(np.float64) - truth
    spread = np.sqrt(lung.of(error).var() + air.of(error).var())
    return float(contrast / spread) if spread > 0 else float("nan")
