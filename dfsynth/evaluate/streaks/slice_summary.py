"""Figures of slices → medians and means with intervals over patients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dfsynth.evaluate.scores import Spread
from dfsynth.evaluate.streaks.measure import SliceMetrics
from dfsynth.statistics import Interval, resample_patients


@dataclass(frozen=True, slots=True)
class FigureSummary:
    """One figure over slices, in its own unit; slices in which it is not defined are left out."""

    median: Interval
    """95 %, by bootstrap over patients."""
    mean: Interval
    """95 %, by bootstrap over patients."""
    spread: Spread | None
    """Over slices; None where no slice has the figure."""
    slices: int
    """How many slices have it."""


def summarise_slices(
    metrics: Sequence[SliceMetrics], patients: Sequence[str], seed: int = 0
) -> Mapping[str, FigureSummary]:
    """Every figure of `SliceMetrics.values` over slices; `patients` names the patient of each.

    Slices of a patient are alike: the bootstrap draws patients, and all slices of one come along.

    Raises:
        ValueError: no slice, or not one patient for each.
    """
    if not metrics or len(metrics) != len(patients):
        raise ValueError(
            f"expected slices and one patient for each, found {len(metrics)} slices and "
            f"{len(patients)} patients"
        )
    resamples = resample_patients(patients, seed)
    table = [m.values() for m in metrics]
    summaries = {}
    for name in table[0]:
        values = np.array([row[name] for row in table], np.float64)
        known = values[np.isfinite(values)]
        marks = np.percentile(known, [5, 25, 50, 75, 95]) if known.size else None
        summaries[name] = FigureSummary(
            median=resamples.median(values),
            mean=resamples.mean(values),
            spread=None if marks is None else Spread(*map(float, marks)),
            slices=known.size,
        )
    return summaries
