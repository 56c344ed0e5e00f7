"""Risk against coverage: the error of what is kept as a score keeps fewer and fewer images.

Coverage here is the share of the images that is kept, and has nothing to do with that of intervals.
The risk of a score at a share is the mean error of the images that it likes best (Geifman &
El-Yaniv, Selective Classification for Deep Neural Networks, NeurIPS 2017). The area under it over
all shares, AURC, and what of it exceeds the area of an oracle that knows the errors are those of
Geifman, Uziel & El-Yaniv, Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers, ICLR
2019. A score in no relation to the error keeps its mean at every share: its area is that mean.

Among equal scores chance decides who is kept, and everything here is the expectation over it: a
constant score fares as chance does, however the images are sorted. Each function takes many
weighted samples at once, which is what a bootstrap draws.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def risk_coverage_area(errors: Array, scores: Array, weights: Array) -> Array:
    """AURC: the mean of the risks that keeping 1, 2, … and all images of a sample has.

    Args:
        errors: (n), at least 0, in their unit.
        scores: (n), the lower the sooner an image is kept; infinite ones are kept last.
        weights: (draws, n), how often each draw holds an image: whole numbers.

    Returns:
        Areas (draws), in the unit of the errors.
    """
    held, sums = _tied(errors, scores, weights)
    before = np.cumsum(held, axis=1) - held
    mean = np.divide(sums, held, out=np.zeros_like(sums), where=held > 0)
    # The k-th risk inside a tie is (error before it + (k - kept before it) · mean) / k: summed over
    # the k of the tie, the part that falls as 1/k gives a difference of harmonic numbers.
    falling = np.cumsum(sums, axis=1) - sums - before * mean
    total = held.sum(axis=1)
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, int(total.max()) + 1))])
    first, last = before.astype(np.intp), (before + held).astype(np.intp)
    areas = (sums + falling * (harmonic[last] - harmonic[first])).sum(axis=1)
    return np.asarray(areas / total)


def risk_at(share: float, errors: Array, scores: Array, weights: Array) -> Array:
    """The mean error of the share of the images that the scores like best, of each draw.

    A share that is no whole number of images takes the last one in part. The other arguments are
    those of `risk_coverage_area`.

    Returns:
        Risks (draws), in the unit of the errors.

    Raises:
        ValueError: not 0 < share <= 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, found {share}")
    held, sums = _tied(errors, scores, weights)
    kept = share * held.sum(axis=1, keepdims=True)
    before = np.cumsum(held, axis=1) - held
    taken = np.clip(kept - before, 0.0, held)
    mean = np.divide(sums, held, out=np.zeros_like(sums), where=held > 0)
    return np.asarray((taken * mean).sum(axis=1) / kept[:, 0])


def share_of_oracle(share: float, errors: Array, scores: Array, weights: Array) -> Array:
    """How much error goes as the scores keep `share`, over what goes as the errors themselves do.

    1 for an oracle, 0 for chance, below 0 for scores that keep the wrong images. The arguments are
    those of `risk_at`.

    Returns:
        Ratios (draws); NaN where all errors of a draw are equal.

    Raises:
        ValueError: not 0 < share <= 1.
    """
    everything = risk_at(1.0, errors, scores, weights)
    removed = everything - risk_at(share, errors, scores, weights)
    removable = everything - risk_at(share, errors, errors, weights)
    # What is left of equal errors is their rounding, and no ratio.
    apart = removable > 1e-12 * np.abs(everything)
    return np.divide(removed, removable, out=np.full_like(removed, np.nan), where=apart)


def _tied(errors: Array, scores: Array, weights: Array) -> tuple[Array, Array]:
    """Weights and summed errors of each group of equal scores, both (draws, groups), best first."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    held = weights[:, order]
    return (
        np.add.reduceat(held, starts, axis=1),
        np.add.reduceat(held * errors[order], starts, axis=1),
    )
