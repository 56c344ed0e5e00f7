"""Means of a map, in the precision that scores need."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map


def mean(values: Float32Map) -> float:
    """The mean of a map (y, x), in its unit."""
    # Sums in float64: a float32 sum over a megapixel keeps too few digits to compare runs by.
    return float(values.mean(dtype=np.float64))


def mean_within(values: Float32Map, region: NDArray[np.bool_] | None) -> float | None:
    """The mean of a map (y, x) over `region` (y, x), in its unit; null without a region."""
    return None if region is None else float(values[region].mean(dtype=np.float64))
