"""Free-response detection: what is found of all nodules at equal false alarms a picture.

Bunch et al., Proc. SPIE 1977; 127: 124. A peak of a heat map is a candidate; one within the radius
of a nodule's middle, two pixels at least, is a hit, of which each nodule counts one; all others are
false alarms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from nodule_detector import Nodule
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.evaluate.restoration import size_of
from dfsynth.records import Float32Map
from dfsynth.statistics import Interval, Resamples, resample_patients

Array = NDArray[np.float64]

_PEAK_PX: Final = 5
"""Side of the square in which a peak is the highest."""
_LEAST: Final = 1e-3
"""Heat below which nothing is a candidate."""
_NEAR_PX: Final = 2.0
ALL: Final = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """All candidates of one kind of picture, the most certain first, and what there was to find."""

    picture: NDArray[np.intp]
    """(m), which picture each is in."""
    size: NDArray[np.str_]
    """(m), the class of the nodule that it is the first hit of; empty: false alarm, or a second
    hit, which counts as neither."""
    alarm: NDArray[np.bool_]
    """(m), whether it is a false alarm."""
    nodules: NDArray[np.str_]
    """(k), the class of each nodule."""
    nodule_picture: NDArray[np.intp]
    """(k), which picture each is in."""
    pictures: int

    def counts(self, size: str) -> Array:
        """Nodules of a class, or `all`, in each picture, (pictures)."""
        chosen = self.nodule_picture[(self.nodules == size) | (size == ALL)]
        return np.bincount(chosen, minlength=self.pictures).astype(np.float64)


def find_candidates(heats: NDArray[np.float32], nodules: Sequence[Sequence[Nodule]]) -> Candidates:
    """Candidates of heat maps (n, H, W) beside the nodules of each picture."""
    rows: list[tuple[float, int, str, bool]] = []
    for number, (heat, there) in enumerate(zip(heats, nodules, strict=True)):
        free = list(there)
        for score, row, column in peaks(heat):
            near = [n for n in there if _hits(n, row, column)]
            first = next((n for n in near if n in free), None)
            if first is not None:
                free.remove(first)
            size = "" if first is None else size_of(first.diameter_mm)
            rows.append((score, number, size, not near))
    rows.sort(key=lambda each: -each[0])
    return Candidates(
        picture=np.array([r[1] for r in rows], np.intp),
        size=np.array([r[2] for r in rows], np.str_),
        alarm=np.array([r[3] for r in rows], np.bool_),
        nodules=np.array([size_of(n.diameter_mm) for there in nodules for n in there], np.str_),
        nodule_picture=np.array(
            [number for number, there in enumerate(nodules) for _ in there], np.intp
        ),
        pictures=len(nodules),
    )


def peaks(heat: Float32Map) -> list[tuple[float, int, int]]:
    """Score, row and column of all peaks of a map (y, x), the highest first."""
    highest = ndimage.maximum_filter(heat, _PEAK_PX, mode="constant")
    rows, columns = np.nonzero((heat == highest) & (heat > _LEAST))
    found = [(float(heat[r, c]), int(r), int(c)) for r, c in zip(rows, columns, strict=True)]
    return sorted(found, reverse=True)


def recalls(found: Candidates, weights: Array, alarms: float, size: str = ALL) -> Array:
    """Share of the nodules of a class found at so many false alarms a picture, (draws).

    The threshold is that of each draw; `weights` (draws, pictures) say how often it holds each.
    """
    held = weights[:, found.picture]
    passed = np.cumsum(held * found.alarm, axis=1) <= alarms * weights.sum(axis=1)[:, None]
    hit = (found.size == size) | ((size == ALL) & (found.size != ""))
    counted = (held * hit * passed).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(counted / (weights @ found.counts(size)))


def recall(found: Candidates, patients: Sequence[str], alarms: float, size: str = ALL) -> Interval:
    """See `recalls`; drawn are the patients of the pictures."""
    return _resamples(patients).of_weights(lambda w: recalls(found, w, alarms, size))


def recall_difference(
    found: Candidates,
    other: Candidates,
    patients: Sequence[str],
    alarms: float,
    size: str = ALL,
) -> Interval:
    """Recall less that of another kind of the same pictures, paired."""
    return _resamples(patients).of_weights(
        lambda w: recalls(found, w, alarms, size) - recalls(other, w, alarms, size)
    )


def false_nodules(found: Candidates, patients: Sequence[str], alarms: float) -> Interval:
    """False alarms a picture without nodules, where pictures have `alarms` on average."""
    empty = found.counts(ALL) == 0
    if not empty.any():
        return Interval(None, None, None)

    def share(weights: Array) -> Array:
        held = weights[:, found.picture] * found.alarm
        passed = np.cumsum(held, axis=1) <= alarms * weights.sum(axis=1)[:, None]
        counted = (held * passed * empty[found.picture]).sum(axis=1)
        return np.asarray(counted / (weights @ empty.astype(np.float64)))

    return _resamples(patients).of_weights(share)


def _hits(nodule: Nodule, row: int, column: int) -> bool:
    away = np.hypot(nodule.row - row, nodule.column - column)
    return bool(away <= max(nodule.radius_px, _NEAR_PX))


def _resamples(patients: Sequence[str]) -> Resamples:
    return resample_patients(patients, seed=0)
