"""Smooths a restored slice wherever the attenuation beside it has no edge.

He, Sun & Tang, Guided image filtering, IEEE PAMI 2013.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from dfsynth.records import Float32Map

_RADIUS_PX: Final = 4
"""Half of the window in which one is taken for a linear function of the other."""
_LEAST_VARIANCE: Final = 9.0
"""Of attenuation, in (1/m)²: below it there is noise, above it an edge."""


def guided_filter(image: Float32Map, guide: Float32Map) -> Float32Map:
    """An image (y, x) that is smooth but where the guide (y, x) has edges, both in 1/m."""

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return uniform_filter(values, 2 * _RADIUS_PX + 1)

    smoothed, by = image.astype(np.float64), guide.astype(np.float64)
    level, level_by = mean(smoothed), mean(by)
    covariance = mean(smoothed * by) - level * level_by
    slope = covariance / (mean(by * by) - level_by**2 + _LEAST_VARIANCE)
    found: Float32Map = (mean(slope) * by + mean(level - slope * level_by)).astype(np.float32)
    return found
