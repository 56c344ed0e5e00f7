"""The columns of a report's page: numbers and groups of images, as a page takes them."""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

_BARS: Final = (16, 72)
"""Of a histogram, about: of few images and of many."""
_STEPS_OF_A_BAR: Final = 8
"""A threshold moves by so many steps from one bar to the next."""
_TAIL: Final = 0.001
_WIDE: Final = 3.0
"""An axis leaves the outermost values out where it would be so many times as long with them."""
MOST_LABELS: Final = 60_000
"""Of one column of groups."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberColumn:
    """One number of every image."""

    name: str
    description: str
    unit: str | None
    unusual: Literal["high", "low"] | None
    """Which end is called worst; null where neither is."""
    values: NDArray[np.float32]
    """(images), in the unit; NaN where an image has none."""
    has_nan: bool
    """Whether some value is NaN and not null, which a condition `>=` would let pass."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupColumn:
    """Which groups every image belongs to, such as its findings or its view."""

    name: str
    title: str
    labels: tuple[str, ...]
    """The commonest first."""
    codes: NDArray[np.uint16]
    """(entries): indices of `labels`, of one image after the other."""
    offsets: NDArray[np.uint32] | None
    """(images + 1): where each image's entries begin; null where each image has exactly one."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Where a histogram's bars lie, and the grid of values that a threshold moves on."""

    low: float
    """The left edge of the first bar."""
    step: float
    """Between two thresholds: 1, 2 or 5 times a power of ten."""
    bars: int
    decimals: int
    """Digits after the point that write every threshold exactly."""
    lowest: float
    """Of all finite values, on the grid, so that nothing lies below."""
    highest: float
    """Of all finite values, on the grid, so that nothing lies above."""

    @property
    def width(self) -> float:
        """Of a bar."""
        return self.step * _STEPS_OF_A_BAR


def axis_of(values: NDArray[np.float32]) -> Axis:
    """An axis for the finite ones of `values` (images); from 0 to 1 where there is none.

    A few values far outside the others are counted in the outermost bars.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    if known.size == 0:
        known = np.array([0.0, 1.0])
    least, most = float(known.min()), float(known.max())
    low, high = (float(v) for v in np.quantile(known, [_TAIL, 1 - _TAIL]))
    if most - least <= _WIDE * (high - low):
        low, high = least, most
    # Equal values still need bars that a threshold can lie between.
    span = max(high - low, abs(high) * 1e-3, 1e-9)
    few, many = _BARS
    about = min(max(math.sqrt(known.size) * 1.5, few), many)
    step = _round_step(span / (about * _STEPS_OF_A_BAR))
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    width = step * _STEPS_OF_A_BAR
    first = math.floor(low / width) * width
    bars = max(math.ceil((high - first) / width + 1e-9), 1)

    def on_grid(units: int) -> float:
        return round(units * step, decimals)

    return Axis(
        low=round(first, decimals),
        step=step,
        bars=bars,
        decimals=decimals,
        lowest=on_grid(math.floor(least / step)),
        highest=on_grid(math.ceil(most / step) + 1),
    )


def _round_step(about: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `about`."""
    power = 10.0 ** math.floor(math.log10(about))
    return float(next(n for n in (5, 2, 1) if n * power <= about * (1 + 1e-9)) * power)
