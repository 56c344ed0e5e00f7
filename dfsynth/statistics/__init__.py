"""One bootstrap, one AUROC, one Dice: NumPy alone, for evaluation, validation and benchmarks."""

from dfsynth.statistics.bootstrap import (
    Interval,
    Resamples,
    bootstrap_percentiles,
    resample_patients,
)
from dfsynth.statistics.overlap import dice
from dfsynth.statistics.ranks import (
    auroc,
    concordance,
    weighted_auroc,
    weighted_rank_correlation,
)

__all__ = [
    "Interval",
    "Resamples",
    "auroc",
    "bootstrap_percentiles",
    "concordance",
    "dice",
    "resample_patients",
    "weighted_auroc",
    "weighted_rank_correlation",
]
