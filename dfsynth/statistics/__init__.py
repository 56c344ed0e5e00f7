"""Statistics that evaluation, validation and benchmarks share: NumPy alone."""

from dfsynth.statistics.attainable import attainable_error, attainable_risk
from dfsynth.statistics.bootstrap import (
    Interval,
    Resamples,
    bootstrap_percentiles,
    resample_patients,
)
from dfsynth.statistics.contrast import contrast_to_noise
from dfsynth.statistics.learn_then_test import (
    RiskThreshold,
    fewest_patients,
    find_threshold,
    lowest_risk,
)
from dfsynth.statistics.multiplicity import holm_adjusted
from dfsynth.statistics.order_statistics import weighted_median
from dfsynth.statistics.overlap import dice
from dfsynth.statistics.ranks import (
    auroc,
    concordance,
    weighted_auroc,
    weighted_rank_correlation,
)
from dfsynth.statistics.selective_risk import risk_at, risk_coverage_area, share_of_oracle
from dfsynth.statistics.shape import ShapeError, shape_error
from dfsynth.statistics.squares import largest_square
from dfsynth.statistics.weighted_rank import rank_reaching

__all__ = [
    "Interval",
    "Resamples",
    "RiskThreshold",
    "ShapeError",
    "attainable_error",
    "attainable_risk",
    "auroc",
    "bootstrap_percentiles",
    "concordance",
    "contrast_to_noise",
    "dice",
    "fewest_patients",
    "find_threshold",
    "holm_adjusted",
    "largest_square",
    "lowest_risk",
    "rank_reaching",
    "resample_patients",
    "risk_at",
    "risk_coverage_area",
    "shape_error",
    "share_of_oracle",
    "weighted_auroc",
    "weighted_median",
    "weighted_rank_correlation",
]
