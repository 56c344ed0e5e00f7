"""Whole numbers for values: the one scale of a map, and the numbers that a file then holds."""

from dataclasses import dataclass
from math import floor, log10
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

LEVELS: Final = 65535
"""Steps between the lowest and the highest number of 16 bits."""
_MANTISSAS: Final = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class LinearScale:
    """What the numbers of 16 bits stand for: value = scale × stored + offset."""

    scale: float
    """Of one step, in the map's unit."""
    offset: float
    """The value of a stored 0, in the map's unit."""

    @classmethod
    def spanning(cls, low: float, high: float) -> Self:
        """The finest scale of 1, 2 or 5 × 10ⁿ whose numbers reach from `low` to `high`.

        The offset is a whole number of steps, so that both are short in decimals.
        """
        # One step is kept free, since the offset is at or below the lowest value.
        wanted = max(high - low, 1e-30) / (LEVELS - 1)
        exponent = floor(log10(wanted))
        steps = (float(f"{mantissa}e{exponent}") for mantissa in _MANTISSAS)
        # Beyond the last one only by a rounding error of the logarithm.
        scale = next((step for step in steps if step >= wanted), float(f"2e{exponent + 1}"))
        return cls(scale, float(f"{floor(low / scale) * scale:.12g}"))

    @property
    def top(self) -> float:
        """The largest value that a number stands for."""
        return self.offset + LEVELS * self.scale

    def holds(self, values: NDArray[Any]) -> bool:
        """Whether all `values` (of any shape) lie within its ends."""
        return self.offset <= float(values.min()) and float(values.max()) <= self.top

    def fitted(self, values: NDArray[Any]) -> "LinearScale":
        """This scale, or one of their own for `values` (of any shape) that lie beyond its ends."""
        if self.holds(values):
            return self
        return LinearScale.spanning(float(values.min()), float(values.max()))

    def store(self, values: NDArray[Any]) -> NDArray[np.uint16]:
        """The numbers for `values` (of any shape), each at most half a step off.

        Values lie within the ends of the scale.
        """
        steps = values.astype(np.float64)
        steps -= self.offset
        steps /= self.scale
        np.rint(steps, out=steps)
        return np.clip(steps, 0, LEVELS, out=steps).astype(np.uint16)

    def restore(self, stored: NDArray[Any]) -> NDArray[np.float64]:
        """The values (of the same shape) that stored numbers stand for."""
        return stored.astype(np.float64) * self.scale + self.offset
