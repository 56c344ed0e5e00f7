"""How a checkpoint wants the values of its inputs: by percentiles, or in a unit.

A range of values in a unit also says what the numbers mean that a checkpoint gives.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dfsynth.records.maps import Float32Map


@dataclass(frozen=True, slots=True)
class IntensityWindow:
    """How a checkpoint wants its grey values: this window of percentiles mapped to [0, 1].

    Raises:
        ValueError: the percentiles are not 0 <= low < high <= 100.
    """

    low_percentile: float = 0.5
    high_percentile: float = 99.5

    def __post_init__(self) -> None:
        if not 0 <= self.low_percentile < self.high_percentile <= 100:
            raise ValueError(
                "expected 0 <= low_percentile < high_percentile <= 100, "
                f"found {self.low_percentile} and {self.high_percentile}"
            )


@dataclass(frozen=True, slots=True)
class IntensityRange:
    """How a checkpoint wants or gives values: (value - low) / (high - low), and never clipped.

    The same value means the same in every image, so that nothing is taken from the image itself.

    Raises:
        ValueError: the ends are not finite with low < high, or the unit is empty.
    """

    low: float
    """The value, in `unit`, that becomes 0; padding stands for it."""
    high: float
    """The value, in `unit`, that becomes 1."""
    unit: str
    """Of the values, spelt as UDUNITS does: "1/m"; "HU" for Hounsfield units."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"expected finite low < high, found {self.low} and {self.high}")
        if not self.unit.strip():
            raise ValueError("expected the unit of the values, such as '1/m'; found none")

    def restore(self, values: Float32Map) -> Float32Map:
        """Values of any shape, 0 to 1 → the same in `unit`, `low` to `high`; nothing is clipped."""
        if (self.low, self.high) == (0.0, 1.0):
            return values
        low = np.float32(self.low)
        return values * (np.float32(self.high) - low) + low

    def restore_deviation(self, values: Float32Map) -> Float32Map:
        """Standard deviations of any shape, of values from 0 to 1 → the same in `unit`."""
        if self.high - self.low == 1.0:
            return values
        return values * np.float32(self.high - self.low)


Intensity: TypeAlias = IntensityWindow | IntensityRange
"""The convention that a checkpoint was trained with."""
