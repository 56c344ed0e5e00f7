"""Statistics of ranks, of many weighted samples at once: what a bootstrap draws."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean_ranks(values: Array, weights: Array) -> Array:
    """Ranks from 1 of `values` (n), where `weights` (draws, n) say how often each is there.

    Equal values share their mean rank.

    Returns:
        Ranks (draws, n).
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
    """Spearman's correlation of samples that hold pair i of `first` and `second` (n) so often.

    Args:
        first: (n).
        second: (n).
        weights: (draws, n).

    Returns:
        Correlations (draws); NaN where a sample holds no two different values.
    """
    ranks = [mean_ranks(values, weights) for values in (first, second)]
    total = weights.sum(axis=1)
    centred = [r - ((weights * r).sum(axis=1) / total)[:, None] for r in ranks]
    covariance = (weights * centred[0] * centred[1]).sum(axis=1)
    variances = [(weights * c**2).sum(axis=1) for c in centred]
    return np.asarray(covariance / np.sqrt(variances[0] * variances[1]))


def concordance(values: Array, positive: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    """Pairs of a positive and another value that are ranked right, ties half, and all such pairs.

    Their ratio is the AUROC (Mann & Whitney, Annals of Mathematical Statistics 1947). Of several
    groups whose values do not compare, the ratio of both sums is the AUROC within groups.

    Args:
        values: (n).
        positive: (n), which of them should be high.
        weights: (draws, n), how often each draw holds a value.

    Returns:
        Two counts (draws).
    """
    inside, outside = weights[:, positive].sum(axis=1), weights[:, ~positive].sum(axis=1)
    ranks = (weights * mean_ranks(values, weights))[:, positive].sum(axis=1)
    return np.asarray(ranks - inside * (inside + 1) / 2), np.asarray(inside * outside)


def weighted_auroc(values: Array, positive: NDArray[np.bool_], weights: Array) -> Array:
    """The chance that a positive value is above another one, ties half, of each draw (draws).

    Takes what `concordance` takes. NaN, with NumPy's warning, where a draw lacks either kind.
    """
    right, pairs = concordance(values, positive, weights)
    return np.asarray(right / pairs)


def auroc(values: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """The chance that a positive one of `values` (n) is above another one, ties half.

    Raises:
        ValueError: `positive` (n) is not both true and false somewhere.
    """
    if positive.all() or not positive.any():
        raise ValueError("expected values of both kinds to compare, found one")
    weights = np.ones((1, values.size))
    return float(weighted_auroc(values.astype(np.float64), positive, weights)[0])
