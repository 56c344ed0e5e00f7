"""Bootstrap intervals over patients, who are independent; images of one patient are not.

Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13: the percentile interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from dfsynth.statistics.order_statistics import weighted_median

Array = NDArray[np.float64]
Item = TypeVar("Item")

RESAMPLES: Final = 1000
"""Draws with replacement of each bootstrap."""
_WEIGHTS_AT_ONCE: Final = 2_000_000
_PERCENTILES: Final = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its 95 % bootstrap interval; null where it is not defined.

    One patient alone says nothing of others: then the ends are null.
    """

    value: float | None
    """Of the sample itself, in the unit of what is measured, as are both ends."""
    low: float | None
    """The 2.5th percentile of the draws."""
    high: float | None
    """The 97.5th percentile of the draws."""

    def __str__(self) -> str:
        return format(self)

    def __format__(self, spec: str) -> str:
        """Formats value and ends as numbers by `spec`, three decimals without one."""
        spec = spec or ".3f"
        if self.value is None:
            return "undefined"
        if self.low is None or self.high is None:
            return f"{self.value:{spec}}"
        return f"{self.value:{spec}} ({self.low:{spec}} to {self.high:{spec}})"


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """A sample of images and draws from it: all images of a patient come along or stay away."""

    weights: Array
    """(1 + draws, images): how often each draw holds an image; the sample itself comes first.

    There are no draws of one patient."""

    def beside(self, other: "Resamples") -> "Resamples":
        """Draws from two samples at once, each within itself.

        Returns:
            Weights (1 + draws, images of both); those of `other` come last.
        """
        draws = min(len(self.weights), len(other.weights))
        return Resamples(np.concatenate([self.weights[:draws], other.weights[:draws]], axis=1))

    def crossed(self, other: "Resamples") -> "Resamples":
        """Draws from both factors of a crossed design, such as images × seeds of a training.

        A cell is held as often as its image times as often as its seed (Owen, Annals of Applied
        Statistics 2007: the pigeonhole bootstrap). A factor without draws stays as it is.

        Returns:
            Weights (1 + draws, images · seeds), the cells row by row as (images, seeds) has them.
        """
        cells = self.weights[:, :, None] * other.weights[:, None, :]
        return Resamples(cells.reshape(len(cells), -1))

    def mean(self, values: Array) -> Interval:
        """The mean of one number an image (images); those that are NaN are left out."""
        known = np.isfinite(values)
        sums = np.stack([np.where(known, values, 0.0), known], axis=1)
        return self.ratio(sums, lambda s: s[:, 0] / s[:, 1])

    def median(self, values: Array) -> Interval:
        """The median of one number an image (images); those that are NaN are left out."""
        known = np.isfinite(values)
        return self.of_weights(lambda weights: weighted_median(values[known], weights[:, known]))

    def ratio(self, sums: Array, measure: Callable[[Array], Array]) -> Interval:
        """The interval of a function of sums over images.

        Args:
            sums: (images, k), what is summed over the images of a draw.
            measure: from such sums, (draws, k), to values (draws).
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return _interval(measure(self.weights @ sums))

    def of_weights(self, measure: Callable[[Array], Array]) -> Interval:
        """The interval of a function of how often draws hold each image.

        Args:
            measure: from weights (draws, images) to values (draws).
        """
        rows = max(_WEIGHTS_AT_ONCE // self.weights.shape[1], 1)
        parts = range(0, len(self.weights), rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = [measure(self.weights[start : start + rows]) for start in parts]
        return _interval(np.concatenate(found))


def resample_patients(patients: Sequence[str], seed: int, draws: int = RESAMPLES) -> Resamples:
    """Draws patients with replacement; `patients` names the patient of each image.

    Raises:
        ValueError: no image.
    """
    if not patients:
        raise ValueError("expected at least one image to draw from, found none")
    names, index = np.unique(np.asarray(patients), return_inverse=True)
    if len(names) == 1:
        return Resamples(np.ones((1, len(patients))))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), draws)
    everybody = np.ones((1, len(names)), drawn.dtype)
    return Resamples(np.concatenate([everybody, drawn]).astype(np.float64)[:, index])


def bootstrap_percentiles(
    items: Sequence[Item], statistic: Callable[[Sequence[Item]], float], seed: int
) -> tuple[float, float]:
    """The ends of the 95 % interval of a statistic that takes the drawn items themselves.

    For what no sum over weighted items gives; each of `RESAMPLES` draws calls `statistic` once.

    Raises:
        ValueError: no item.
    """
    if not items:
        raise ValueError("expected at least one item to draw from, found none")
    draws = np.random.default_rng(seed).integers(0, len(items), (RESAMPLES, len(items)))
    return _percentiles(np.array([statistic([items[i] for i in draw]) for draw in draws]))


def _interval(found: Array) -> Interval:
    """The interval of `found` (1 + draws): the value of the sample itself, then of the draws."""
    value, draws = float(found[0]), found[1:][np.isfinite(found[1:])]
    if not np.isfinite(value) or (len(found) > 1 and not draws.size):
        return Interval(None, None, None)
    if not draws.size:
        return Interval(value, None, None)
    return Interval(value, *_percentiles(draws))


def _percentiles(draws: Array) -> tuple[float, float]:
    low, high = np.percentile(draws, _PERCENTILES)
    return float(low), float(high)
