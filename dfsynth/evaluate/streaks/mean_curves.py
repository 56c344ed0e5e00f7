"""Curves of single slices → their means, which pictures and reports draw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.streaks.measure import SliceCurves
from dfsynth.evaluate.streaks.slices import SliceKind

Array = NDArray[np.float64]
CurveName = Literal["noise_power", "streak_power", "transfer"]


@dataclass(frozen=True, slots=True)
class MeanCurve:
    """One curve of several kinds of image of the same slices."""

    slices: int
    """Of which the curve is known for all kinds; means are over them. Without any, all is empty."""
    x: tuple[float, ...]
    """Frequencies or angles (n)."""
    y: Mapping[SliceKind, tuple[float, ...]]
    """Means (n) of each kind of image."""


def _noise_power(curves: SliceCurves) -> tuple[Array, Array]:
    """Without frequency 0, at which squares less their own means have no power."""
    return curves.noise.frequencies_per_mm[1:], curves.noise.power[1:]


def _streak_power(curves: SliceCurves) -> tuple[Array, Array]:
    return curves.streaks.angles_deg, curves.streaks.by_angle


def _transfer(curves: SliceCurves) -> tuple[Array, Array]:
    return curves.resolution.frequencies_per_px, curves.resolution.transfer


CURVES: Final[Mapping[CurveName, Callable[[SliceCurves], tuple[Array, Array]]]] = {
    "noise_power": _noise_power,
    "streak_power": _streak_power,
    "transfer": _transfer,
}
"""Noise power in the lung, (1/m)² mm² at cycles a mm; variance of errors of mid frequencies, (1/m)²
by the angle in degrees at which they run; and modulation transfer at cycles a pixel."""


def mean_curve(name: CurveName, kinds: Mapping[SliceKind, Sequence[SliceCurves]]) -> MeanCurve:
    """The means of one curve over slices; `kinds`: those of every slice, of each kind of image."""
    found = {kind: [CURVES[name](each) for each in curves] for kind, curves in kinds.items()}
    known = [
        index
        for index, slices in enumerate(zip(*found.values(), strict=True))
        if all(y.size and np.isfinite(y).all() for _, y in slices)
    ]
    if not known:
        return MeanCurve(0, (), dict.fromkeys(kinds, ()))
    first = next(iter(found.values()))
    return MeanCurve(
        slices=len(known),
        x=_mean([first[index][0] for index in known]),
        y={kind: _mean([pairs[index][1] for index in known]) for kind, pairs in found.items()},
    )


def _mean(values: Sequence[Array]) -> tuple[float, ...]:
    return tuple(map(float, np.mean(values, axis=0)))
