"""Restored dark-field CT slices → contrast, resolution, errors, streaks and noise.

A higher contrast-to-noise ratio can be bought by smoothing: every figure that would show it is
measured beside it.
"""

from dfsynth.evaluate.streaks.configuration_table import (
    Configuration,
    SeedSpread,
    baseline_pairs,
    seed_spread,
    tabulate_configurations,
    tabulate_tests,
)
from dfsynth.evaluate.streaks.mean_curves import CURVES, CurveName, MeanCurve, mean_curve
from dfsynth.evaluate.streaks.measure import (
    SliceCurves,
    SliceMetrics,
    SliceTruth,
    measure_curves,
    measure_slice,
    slice_metrics,
)
from dfsynth.evaluate.streaks.regions import RegionPair, Square, choose_regions
from dfsynth.evaluate.streaks.seed_tests import PairwiseTest, all_pairs, compare_configurations
from dfsynth.evaluate.streaks.slice_summary import summarise_slices
from dfsynth.evaluate.streaks.slices import SLICE_KINDS, SliceKind, known_slice

__all__ = [
    "CURVES",
    "SLICE_KINDS",
    "Configuration",
    "CurveName",
    "MeanCurve",
    "PairwiseTest",
    "RegionPair",
    "SeedSpread",
    "SliceCurves",
    "SliceKind",
    "SliceMetrics",
    "SliceTruth",
    "Square",
    "all_pairs",
    "baseline_pairs",
    "choose_regions",
    "compare_configurations",
    "known_slice",
    "mean_curve",
    "measure_curves",
    "measure_slice",
    "seed_spread",
    "slice_metrics",
    "summarise_slices",
    "tabulate_configurations",
    "tabulate_tests",
]
