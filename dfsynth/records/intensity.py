"""How a checkpoint wants the values of its inputs: by percentiles, or in a unit."""

import math
from dataclasses import dataclass
from typing import TypeAlias


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
    """How a checkpoint wants measured values: (value - low) / (high - low), and never clipped.

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


Intensity: TypeAlias = IntensityWindow | IntensityRange
"""The convention that a checkpoint was trained with."""
