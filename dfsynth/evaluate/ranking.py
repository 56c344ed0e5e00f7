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

    Ilg et al., ECCV 2018; `REMOVED` holds the shares taken away. NaN where there is no error.
    """
    magnitude = np.abs(error)
    kept_first = magnitude[np.argsort(uncertainty, kind="stable")]
    means = np.cumsum(kept_first) / np.arange(1, magnitude.size + 1)
    left = np.maximum(np.round((1 - REMOVED) * magnitude.size).astype(int), 1)
    total = means[-1]
    return np.asarray(means[left - 1] / total if total > 0 else np.full(REMOVED.size, np.nan))


def area_between(curve: Array, best_curve: Array) -> float:
    """AUSE: the area between the curves by uncertainty and by the error itself; 0 is perfect.

    Over shares 0 to 0.95, by trapezoids. An uncertainty that knows nothing has a curve of 1.
    """
    return float(np.trapezoid(curve - best_curve, REMOVED))


def mean_ranks(values: Array, weights: Array) -> Array:
    """Ranks from 1 of `values` (n) where weights (draws, n) say how often each is there.

    Equal values share their mean rank. (draws, n)
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    held = np.add.reduceat(weights[:, order], starts, axis=1)
    shared = np.cumsum(held, axis=1) - held + (held + 1) / 2
    found = np.empty_like(weights)
    found[:, order] = np.repeat(shared, np.diff([*starts, values.size]), axis=1)
    return found


def weighted_rank_correlation(first: Array, second: Array, weights: Array) -> Array:
    """Spearman's correlation of samples that hold pair i weights[:, i] times, (draws,).

    NaN where a sample holds no two different values.
    """
    ranks = [mean_ranks(values, weights) for values in (first, second)]
    total = weights.sum(axis=1)
    centred = [r - ((weights * r).sum(axis=1) / total)[:, None] for r in ranks]
    covariance = (weights * centred[0] * centred[1]).sum(axis=1)
    variances = [(weights * c**2).sum(axis=1) for c in centred]
    return np.asarray(covariance / np.sqrt(variances[0] * variances[1]))


def weighted_auroc(values: Array, positive: NDArray[np.bool_], weights: Array) -> Array:
    """Chance that a positive value is above another one, ties half, (draws,); Mann & Whitney."""
    inside, outside = weights[:, positive].sum(axis=1), weights[:, ~positive].sum(axis=1)
    ranks = (weights * mean_ranks(values, weights))[:, positive].sum(axis=1)
    return np.asarray((ranks - inside * (inside + 1) / 2) / (inside * outside))


def rank_correlation(first: Array, second: Array) -> float:
    """Spearman's correlation; NaN with fewer than three values or where one of both is constant."""
    if first.size < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearman_corrcoef(torch.from_numpy(first), torch.from_numpy(second)))
