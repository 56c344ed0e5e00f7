"""Figures of slices → medians with intervals over patients."""

from collections.abc import Mapping, Sequence

import numpy as np

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.streaks.measure import SliceMetrics
from dfsynth.statistics import Interval, resample_patients


def summarise_slices(
    metrics: Sequence[SliceMetrics], patients: Sequence[str], seed: int = 0
) -> Mapping[str, Interval]:
    """Medians over slices of all `SliceMetrics.values`; `patients` names the patient of each.

    Intervals are 95 %. Slices of a patient are alike: the bootstrap draws patients, and all slices
    of one come along. Slices in which a figure is not defined are left out.

    Raises:
        ValueError: no slice, or not one patient for each.
    """
    if not metrics or len(metrics) != len(patients):
        raise ValueError(
            f"expected slices and one patient for each, found {counted(len(metrics), 'slice')} "
            f"and {counted(len(patients), 'patient')}"
        )
    resamples = resample_patients(patients, seed)
    table = [m.values() for m in metrics]
    return {
        name: resamples.median(np.array([row[name] for row in table], np.float64))
        for name in table[0]
    }
