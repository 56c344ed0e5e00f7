"""Entries of a table against a baseline: paired, over test patients and over seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from question_results import RunResult, SliceRow

from dfsynth.statistics import Interval, Resamples, resample_patients, weighted_median

Array = NDArray[np.float64]
Rows = Mapping[int, Sequence[SliceRow]]
"""Seed → the test slices."""
REFERENCES: Final = ("single_rotation", "multi_rotation", "truth")
"""What needs no training: where one starts, what one is trained on, and the end."""
_PATIENTS_SEED, _SEEDS_SEED = 0, 1


def entries_of(results: Sequence[RunResult]) -> dict[str, Rows]:
    """Name → seed → rows: `plain`, `plain, averaged` and so on."""
    found: dict[str, dict[int, Sequence[SliceRow]]] = {}
    for result in results:
        for how, rows in result.restored.items():
            name = result.entry if how == "once" else f"{result.entry}, {how}"
            found.setdefault(name, {})[result.seed] = rows
    return dict(found)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One entry against the baseline, of the same slices and seeds; 95 % intervals."""

    name: str
    seeds: int
    slices: int
    """Test slices that have lung and air to measure at."""
    cnr: Interval
    """Median over slices and seeds."""
    cnr_ratio: Interval
    """Of both medians."""
    of_truth_cnr: Interval
    """Median of the CNR over that of the truth."""
    contrast_to_error: Interval
    """Median of the contrast over the spread of the errors."""
    contrast_to_error_ratio: Interval
    """Of both medians."""
    lung_bias: Interval
    """Of all lungs together: the sum of their biases over that of their true coefficients, so that
    a faint lung counts as little as it shows."""
    fwhm_mm: Interval
    """Median width of the line-spread function."""
    fwhm_ratio: Interval
    """Of both medians."""
    lung_rmse: Interval
    """Mean of the root mean square error in the lung, in 1/m."""
    lung_rmse_ratio: Interval
    """Of both means."""
    streak_power: Interval
    """Mean of what is left of streaks, in (1/m)²."""

    @property
    def reaches(self) -> bool:
        """CNR at least 1.25 times, lung bias under 5 %, line-spread width no larger."""
        values = self.cnr_ratio.value, self.lung_bias.value, self.fwhm_ratio.value
        cnr, bias, width = (np.nan if value is None else value for value in values)
        return bool(cnr >= 1.25 and abs(bias) < 0.05 and width <= 1)


def compare(name: str, rows: Rows, baseline: Rows) -> Comparison | None:
    """Compares an entry with the baseline over the seeds of both; None where there is none.

    What needs no training has one result, which stands beside every seed.
    """
    seeds = sorted(
        baseline if len(rows) == 1 and name in REFERENCES else rows.keys() & baseline.keys()
    )
    if not seeds:
        return None
    table = _Table(rows, baseline, seeds)
    return Comparison(
        name=name,
        seeds=len(seeds),
        slices=int(np.isfinite(table.ours("cnr")).all(axis=1).sum()),
        cnr=table.median("cnr"),
        cnr_ratio=table.median_ratio("cnr"),
        of_truth_cnr=table.resamples.median(
            (table.ours("cnr") / table.ours("truth_cnr")).reshape(-1)
        ),
        contrast_to_error=table.median("contrast_to_error"),
        contrast_to_error_ratio=table.median_ratio("contrast_to_error"),
        lung_bias=table.pooled_bias(),
        fwhm_mm=table.median("line_spread_fwhm_mm"),
        fwhm_ratio=table.median_ratio("line_spread_fwhm_mm"),
        lung_rmse=table.resamples.mean(table.ours("lung_rmse_per_m").reshape(-1)),
        lung_rmse_ratio=table.mean_ratio("lung_rmse_per_m"),
        streak_power=table.resamples.mean(table.ours("streak_power_per_m2").reshape(-1)),
    )


def resamples_of(rows: Sequence[SliceRow], seeds: int) -> Resamples:
    """Draws of patients and seeds together, for tables (slices, seeds)."""
    patients = resample_patients([row.patient for row in rows], _PATIENTS_SEED)
    return patients.crossed(resample_patients([str(n) for n in range(seeds)], _SEEDS_SEED))


class _Table:
    """Figures of two entries as (slices, seeds), and draws of both."""

    def __init__(self, rows: Rows, baseline: Rows, seeds: Sequence[int]) -> None:
        self._rows = [rows[seed] if seed in rows else rows[min(rows)] for seed in seeds]
        self._baseline = [baseline[seed] for seed in seeds]
        self.resamples = resamples_of(self._baseline[0], len(seeds))

    def ours(self, figure: str) -> Array:
        return _figures(self._rows, figure)

    def median(self, figure: str) -> Interval:
        return self.resamples.median(self.ours(figure).reshape(-1))

    def median_ratio(self, figure: str) -> Interval:
        return self._ratio(figure, weighted_median)

    def mean_ratio(self, figure: str) -> Interval:
        return self._ratio(figure, lambda values, weights: weights @ values / weights.sum(axis=1))

    def pooled_bias(self) -> Interval:
        figures = ("lung_bias_per_m", "lung_truth_per_m")
        sums = np.stack([self.ours(figure).reshape(-1) for figure in figures], axis=1)
        known = np.isfinite(sums).all(axis=1, keepdims=True)
        return self.resamples.ratio(np.where(known, sums, 0.0), lambda s: s[:, 0] / s[:, 1])

    def _ratio(self, figure: str, statistic: Callable[[Array, Array], Array]) -> Interval:
        ours = self.ours(figure).reshape(-1)
        theirs = _figures(self._baseline, figure).reshape(-1)
        known = np.isfinite(ours) & np.isfinite(theirs)
        if not known.any():
            return Interval(None, None, None)

        def ratio(weights: Array) -> Array:
            held = weights[:, known]
            return statistic(ours[known], held) / statistic(theirs[known], held)

        return self.resamples.of_weights(ratio)


def _figures(rows: Sequence[Sequence[SliceRow]], figure: str) -> Array:
    return np.array([[row.values[figure] for row in seed] for seed in rows], np.float64).T
