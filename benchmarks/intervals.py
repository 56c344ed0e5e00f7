"""Scores with intervals that count patients, not pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REPEATS = 1000
_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with a 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def rounded(self) -> dict[str, float]:
        return {
            "value": round(self.value, 3),
            "low": round(self.low, 3),
            "high": round(self.high, 3),
        }

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


def concordance(
    negative: NDArray[np.float64],
    positive: NDArray[np.float64],
    weight_negative: NDArray[np.float64],
    weight_positive: NDArray[np.float64],
) -> tuple[float, float]:
    """Weight of the pairs ranked right, ties half, and of all pairs; their ratio is the AUROC."""
    order = np.argsort(negative, kind="stable")
    ranked = negative[order]
    cumulated = np.concatenate([[0.0], np.cumsum(weight_negative[order])])
    below = cumulated[np.searchsorted(ranked, positive, side="left")]
    up_to = cumulated[np.searchsorted(ranked, positive, side="right")]
    right = float(weight_positive @ (0.5 * (below + up_to)))
    return right, float(weight_positive.sum() * weight_negative.sum())


def patient_weights(
    patients: Sequence[str], rng: np.random.Generator | None
) -> NDArray[np.float64]:
    """How often a bootstrap draw holds each picture; 1 each without `rng`."""
    if rng is None:
        return np.ones(len(patients))
    names, index = np.unique(np.asarray(patients), return_inverse=True)
    drawn = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
    return drawn[index].astype(float)


def bootstrap(
    measure: Callable[[np.random.Generator | None], float], seed: int, repeats: int = REPEATS
) -> Interval:
    """`measure(None)` on the sample, `measure(rng)` on draws from it; undefined draws left out."""
    rng = np.random.default_rng(seed)
    drawn = np.array([measure(rng) for _ in range(repeats)])
    low, high = np.percentile(drawn[np.isfinite(drawn)], _PERCENTILES)
    return Interval(measure(None), float(low), float(high))


def bootstrap_mean(values: NDArray[np.float64], patients: Sequence[str], seed: int) -> Interval:
    """The mean over pictures, patients drawn with replacement."""

    def measure(rng: np.random.Generator | None) -> float:
        weight = patient_weights(patients, rng)
        return float(weight @ values / weight.sum())

    return bootstrap(measure, seed)
