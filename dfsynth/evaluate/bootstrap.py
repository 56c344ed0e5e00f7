"""Intervals that count patients, not pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RESAMPLES: Final = 1000
_WEIGHTS_AT_ONCE: Final = 2_000_000
_PERCENTILES: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % bootstrap interval; null where it is not defined.

    One patient alone says nothing of others: then the ends are null.
    """

    value: float | None
    low: float | None
    high: float | None

    def __str__(self) -> str:
        if self.value is None:
            return "undefined"
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """The sample of pictures, and draws from it: all pictures of a patient come along or stay away.

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993 (percentile intervals).
    """

    weights: Array
    """(1 + draws, pictures): how often each holds a picture; the sample itself comes first.

    Of one patient there are no draws."""

    def beside(self, other: "Resamples") -> "Resamples":
        """Draws from two samples at once, each within itself; the other's pictures come after."""
        draws = min(len(self.weights), len(other.weights))
        return Resamples(np.concatenate([self.weights[:draws], other.weights[:draws]], axis=1))

    def mean(self, values: Array) -> Interval:
        """Of one number a picture, those that are NaN left out."""
        known = np.isfinite(values)
        sums = np.stack([np.where(known, values, 0.0), known], axis=1)
        return self.ratio(sums, lambda s: s[:, 0] / s[:, 1])

    def ratio(self, sums: Array, measure: Callable[[Array], Array]) -> Interval:
        """`measure` of sums over pictures: (pictures, k) → sums (draws, k) → values (draws,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return _interval(measure(self.weights @ sums))

    def of_weights(self, measure: Callable[[Array], Array]) -> Interval:
        """`measure` of how often draws hold each picture: (draws, pictures) → (draws,)."""
        rows = max(_WEIGHTS_AT_ONCE // self.weights.shape[1], 1)
        parts = range(0, len(self.weights), rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = [measure(self.weights[start : start + rows]) for start in parts]
        return _interval(np.concatenate(found))


def draw_patients(patients: Sequence[str], seed: int, draws: int = RESAMPLES) -> Resamples:
    """Draws of patients with replacement; `patients` names the patient of each picture.

    Raises:
        ValueError: no picture.
    """
    if not patients:
        raise ValueError("expected at least one picture to draw from, found none")
    names, index = np.unique(np.asarray(patients), return_inverse=True)
    if len(names) == 1:
        return Resamples(np.ones((1, len(patients))))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    everybody = np.ones((1, len(names)), drawn.dtype)
    return Resamples(np.concatenate([everybody, drawn]).astype(np.float64)[:, index])


def _interval(found: Array) -> Interval:
    """Of the sample itself, which comes first, and the draws after it."""
    value, draws = float(found[0]), found[1:][np.isfinite(found[1:])]
    if not np.isfinite(value) or (len(found) > 1 and not draws.size):
        return Interval(None, None, None)
    if not draws.size:
        return Interval(value, None, None)
    low, high = np.percentile(draws, _PERCENTILES)
    return Interval(value, float(low), float(high))
