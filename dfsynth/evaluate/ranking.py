"""Whether pixels with a large stated uncertainty are those with a large error."""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.regression import spearman_corrcoef

Array = NDArray[np.float64]

REMOVED: Final[Array] = np.linspace(0.0, 0.95, 20)
"""Shares of pixels that a sparsification curve takes away."""


def sparsification_curve(error: Array, uncertainty: Array) -> Array:
    """Mean |error| of what is left as the most uncertain pixels go, over that of all; (20,).

    `error` and `uncertainty` are (pixels); `REMOVED` holds the shares taken away. Ilg et al., ECCV
    2018. NaN where there is no error.
    """
    magnitude = np.abs(error)
    kept_first = magnitude[np.argsort(uncertainty, kind="stable")]
    means = np.cumsum(kept_first) / np.arange(1, magnitude.size + 1)
    left = np.maximum(np.round((1 - REMOVED) * magnitude.size).astype(int), 1)
    total = means[-1]
    return np.asarray(means[left - 1] / total if total > 0 else np.full(REMOVED.size, np.nan))


def area_between(curve: Array, best_curve: Array) -> float:
    """AUSE: the area between the curves by uncertainty and by the error itself; 0 is perfect.

    Curves of shape (20,) over shares 0 to 0.95, by trapezoids. An uncertainty that says nothing has
    a curve of 1.
    """
    return float(np.trapezoid(curve - best_curve, REMOVED))


def rank_correlation(first: Array, second: Array) -> float:
    """Spearman's correlation of two arrays (n).

    NaN with fewer than three values, and where one of both is constant.
    """
    if first.size < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearman_corrcoef(torch.from_numpy(first), torch.from_numpy(second)))
