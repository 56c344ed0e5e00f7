"""Measured dark-field images that anybody can download, read and held beside the simulator."""

from dfsynth.simulation.validation.measured.comparison import (
    MeasuredComparison,
    MeasuredImages,
    MeasuredRow,
    compare_with_measured,
    read_measured,
    tabulate_comparison,
)

__all__ = [
    "MeasuredComparison",
    "MeasuredImages",
    "MeasuredRow",
    "compare_with_measured",
    "read_measured",
    "tabulate_comparison",
]
