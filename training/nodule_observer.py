"""What of nodules is there to be found: a linear observer that knows how each size looks.

The Hotelling observer, w = K^-1 s (Barrett and Myers, Foundations of Image Science, 2004, chapter
13): K is the covariance of lung without nodules, s the mean shadow of the nodules of a class, known
from twins, the same bodies with and without. Both are of the other half of the bodies. It searches
the lungs by itself; as it is not trained by single examples, some dozen bodies are enough.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from free_response import Candidates, find_candidates, peaks
from nodule_detector import Nodule
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.errors import UsageError
from dfsynth.evaluate.restoration import size_of
from dfsynth.records import Float32Map
from dfsynth.statistics import Interval, resample_patients

Array = NDArray[np.float64]

_HALF_PX: Final = 6
_SIDE_PX: Final = 2 * _HALF_PX + 1
"""Of templates."""
_FLAT_PX: Final = 8.0
"""Sigma of what is taken off each picture, as slow shadows say nothing of nodules."""
_LEAST_SHARE: Final = 0.3
"""Of the standard deviation in the lungs, that is added to that around."""
_EVERY: Final = 2
"""Distance of the patches that K is of."""
_SHRINK: Final = 0.02
"""Share of the mean variance that is added to each."""


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What an observer makes of pictures, 0 where there is no lung."""

    noduled: NDArray[np.float32]
    """(n, H, W)"""
    plain: NDArray[np.float32]
    """(n, H, W), of variance 1 over lungs without nodules."""


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Pictures of one kind of the same bodies, with nodules and without."""

    noduled: NDArray[np.float32]
    """(n, H, W), grey values."""
    plain: NDArray[np.float32]
    """(n, H, W)"""
    lungs: NDArray[np.bool_]
    """(n, H, W), where nodules may be."""
    nodules: Sequence[Sequence[Nodule]]
    """Of `noduled`."""
    bodies: Sequence[str]
    """Whose each picture is; all of one are in the same half."""

    def maps(self, sizes: Sequence[str], taught: Self | None = None) -> dict[str, Maps]:
        """What the observer of each class makes of all pictures, those of `taught` telling it how.

        Raises:
            UsageError: a half of the bodies has no nodule of a class.
        """
        noduled, plain = self._flattened()
        shown = (noduled, plain) if taught is None else taught._flattened()
        heats = np.zeros((len(sizes), 2, *self.plain.shape), np.float32)
        ranks = {body: rank for rank, body in enumerate(dict.fromkeys(self.bodies))}
        half = np.array([ranks[body] % 2 for body in self.bodies])
        for number in (0, 1):
            learnt = np.flatnonzero(half != number)
            patches = [_windows(shown[1][i])[_sparse(self.lungs[i])] for i in learnt]
            covariance = _covariance(np.concatenate(patches))
            for heat, size in zip(heats, sizes, strict=True):
                template = _template(self._shadow(*shown, learnt, size), covariance)
                for i in np.flatnonzero(half == number):
                    for kind, pictures in enumerate((noduled, plain)):
                        found = ndimage.correlate(pictures[i], template, mode="nearest")
                        heat[kind, i] = np.where(self.lungs[i], found, 0)
        return {size: Maps(*heat) for size, heat in zip(sizes, heats, strict=True)}

    def search(self, maps: Maps) -> Candidates:
        """What is found in the pictures with nodules, then in those of the same bodies without."""
        there = [*self.nodules, *([] for _ in self.nodules)]
        return find_candidates(np.concatenate([maps.noduled, maps.plain]), there)

    def ask(self, maps: Maps, size: str, false_share: float) -> tuple[Array, Array]:
        """Nodules of a class that are seen where they are, and all of them, of each body, (n).

        Seen is what exceeds all but `false_share` of the places in the lungs without nodules.
        Nodules behind the heart or below the domes are left out.
        """
        places = np.concatenate(
            [heat[_sparse(lung)] for heat, lung in zip(maps.plain, self.lungs, strict=True)]
        )
        threshold = np.quantile(places, 1 - false_share)
        seen, asked = np.zeros((2, len(self.nodules)))
        for at in self._places(size):
            asked[at[0]] += 1
            seen[at[0]] += maps.noduled[at] > threshold
        return seen, asked

    def stand_out(self, maps: Maps, size: str) -> tuple[Array, Array]:
        """By how much maps are higher for nodules, summed over those `ask` counts, and these; (n).

        In standard deviations of lung: the contrast-to-noise ratio of the observer.
        """
        gained, asked = np.zeros((2, len(self.nodules)))
        for at in self._places(size):
            asked[at[0]] += 1
            gained[at[0]] += maps.noduled[at] - maps.plain[at]
        return gained, asked

    def _places(self, size: str) -> Iterator[tuple[int, int, int]]:
        for i, there in enumerate(self.nodules):
            for n in there:
                at = i, round(n.row), round(n.column)
                if size_of(n.diameter_mm) == size and self.lungs[at]:
                    yield at

    def _flattened(self) -> tuple[Array, Array]:
        noduled, plain = (
            np.stack([_flat(p, lung) for p, lung in zip(pictures, self.lungs, strict=True)])
            for pictures in (self.noduled, self.plain)
        )
        return noduled, plain

    def _shadow(self, noduled: Array, plain: Array, bodies: NDArray[np.intp], size: str) -> Array:
        """Mean over the nodules of a class and over eight symmetries, (13, 13)."""
        found = [
            _windows(noduled[i] - plain[i])[round(n.row), round(n.column)]
            for i in bodies
            for n in self.nodules[i]
            if size_of(n.diameter_mm) == size
        ]
        if not found:
            raise UsageError(f"half of the bodies has no nodule of {size}: simulate more")
        mean = np.mean(found, axis=0)
        return np.asarray(
            np.mean([np.rot90(each, n) for each in (mean, mean.T) for n in range(4)], axis=0)
        )


def _flat(picture: Float32Map, lung: NDArray[np.bool_]) -> Array:
    """Without slow shadows, over the standard deviation around; both of lung alone, 0 elsewhere.

    Outlines of heart, domes and chest wall, which are as strong as any nodule, do not count.
    """

    def around(values: Array) -> Array:
        weight = ndimage.gaussian_filter(lung.astype(np.float64), _FLAT_PX)
        return ndimage.gaussian_filter(values * lung, _FLAT_PX) / np.maximum(weight, 1e-3)

    fast = (picture - around(picture.astype(np.float64))) * lung
    spread = np.sqrt(around(fast**2)) + _LEAST_SHARE * fast[lung].std()
    return np.asarray(fast / spread)


def _windows(picture: Array) -> Array:
    """(H, W, 13, 13): what is around each pixel."""
    wide = np.pad(picture, _HALF_PX, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(wide, (_SIDE_PX, _SIDE_PX))


def _sparse(lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Every other row and column of it."""
    grid = np.zeros_like(lung)
    grid[::_EVERY, ::_EVERY] = True
    return lung & grid


def _covariance(patches: Array) -> Array:
    """Of patches (n, 13, 13), (169, 169), shrunk towards white noise."""
    found = np.cov(patches.reshape(len(patches), -1), rowvar=False)
    return np.asarray(found + np.eye(len(found)) * (_SHRINK * np.trace(found) / len(found)))


def _template(shadow: Array, covariance: Array) -> Array:
    """K^-1 s, (13, 13), by which lung without nodules gets a variance of 1."""
    weights = np.linalg.solve(covariance, shadow.ravel())
    return np.asarray((weights / np.sqrt(weights @ covariance @ weights)).reshape(shadow.shape))


def mean_of(sums: Array, counts: Array, patients: Sequence[str]) -> Interval:
    """Mean over nodules of sums and counts (n) for each body; drawn are patients."""
    return resample_patients(patients, seed=0).of_weights(lambda w: _ratio(w @ sums, w @ counts))


def spot_level(maps: Maps) -> float:
    """What one spot a picture without nodules exceeds."""
    scores = sorted((s for heat in maps.plain for s, _, _ in peaks(heat)), reverse=True)
    return scores[min(len(maps.plain), len(scores)) - 1]


def strong_spots(maps: Maps, level: float, patients: Sequence[str]) -> Interval:
    """Spots a picture without nodules that reach a level.

    By the templates and the `spot_level` of other pictures: above 1 spots were invented.
    """
    spots = np.array([sum(s >= level for s, _, _ in peaks(heat)) for heat in maps.plain])
    return mean_of(spots.astype(np.float64), np.ones(len(spots)), patients)


def _ratio(above: Array, below: Array) -> Array:
    with np.errstate(invalid="ignore"):
        return np.asarray(above / below)
