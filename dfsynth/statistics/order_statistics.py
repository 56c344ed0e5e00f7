"""Medians of many weighted samples at once: what a bootstrap draws."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def weighted_median(values: Array, weights: Array) -> Array:
    """Medians of samples that hold `values` (n) as often as `weights` (draws, n) say.

    The mean of the two middle ones where a sample holds an even number, as `numpy.median` has it.

    Returns:
        Medians (draws); NaN for a sample that holds nothing.
    """
    if not values.size:
        return np.full(len(weights), np.nan)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    half = reached[:, -1:] / 2
    lower = np.argmax(reached >= half, axis=1)
    upper = np.argmax(reached > half, axis=1)
    middle = (values[order][lower] + values[order][upper]) / 2
    return np.where(half[:, 0] > 0, middle, np.nan)
