"""p-values of many tests at once."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm_adjusted(p_values: Array) -> Array:
    """p-values (n) raised so that comparing each with a level bounds the chance of any false alarm.

    Holm, Scandinavian Journal of Statistics 1979: the i-th smallest (from 0) times n - i, made
    non-decreasing, at most 1. Nothing is assumed of how the tests depend on each other.

    Returns:
        (n), in the order given.
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.maximum.accumulate(p_values[order] * np.arange(p_values.size, 0, -1))
    found = np.empty(p_values.size)
    found[order] = np.minimum(raised, 1.0)
    return found
