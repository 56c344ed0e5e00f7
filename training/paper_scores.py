"""Figures of methods by patient, with intervals over patients and paired tests.

Every patient is tested once, in the fold whose networks never saw them. Intervals and tests are
over patients: they say what other patients would show, and only in part what another training
would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from paper_runs import FoldResult
from scipy.stats import wilcoxon

from dfsynth.evaluate.calibration import HEADLINE_LEVEL
from dfsynth.statistics import Interval, holm_adjusted, resample_patients, risk_coverage_area

Array = NDArray[np.float64]
Scores = Mapping[str, float]
"""Patient → mean over their images."""

_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of a table."""

    title: str
    column: str
    """Of the rows of tests."""
    better: int
    """1: more is better; -1: less."""
    region: str = "whole"
    """`lung` is the whole image where a task knows no lung."""
    from_level: bool = False
    """Whether it is how far the column is from the level of the intervals."""

    def of(self, row: Mapping[str, float | None]) -> float:
        """The figure of one image; NaN where it is not defined."""
        found = row[self.column]
        value = float("nan") if found is None else float(found)
        return abs(value - HEADLINE_LEVEL) if self.from_level else value


SSIM: Final = Measure("SSIM", "ssim", 1)
PSNR: Final = Measure("PSNR (dB)", "psnr", 1)
MAE: Final = Measure("MAE", "mae", -1)
NLL: Final = Measure("NLL", "nll", -1, "lung")
CRPS: Final = Measure("CRPS", "crps", -1, "lung")
COVERAGE: Final = Measure("90 % interval holds", "coverage_90", 1, "lung")
MISCOVERAGE: Final = Measure("off 90 %", "coverage_90", -1, "lung", from_level=True)
GAP: Final = Measure("gap in fifths", "coverage_gap", -1, "lung")
RESIDUAL: Final = Measure("residual (RMS)", "error", -1)
SIGMA: Final = Measure("sigma (RMS)", "uncertainty", -1)
AUSE: Final = Measure("AUSE", "ause", -1, "lung")
MEASURES: Final = (SSIM, PSNR, MAE, NLL, CRPS, MISCOVERAGE, GAP, AUSE)
"""Those that are compared; how much an interval holds is no more the better, the more it is."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A method less the one it is compared with, over the patients of both."""

    interval: Interval
    p: float
    """Wilcoxon's signed ranks over patients, two-sided; 1 where nothing differs."""


def scores(tests: Sequence[FoldResult], measure: Measure, stage: int | None = None) -> Scores:
    """Of a method over its folds; `stage` from 1, or None for the last."""
    found: dict[str, list[float]] = {}
    for test in tests:
        regions = {row["region"] for row in test.rows}
        region = measure.region if measure.region in regions else "whole"
        wanted = stage or max(row["stage"] for row in test.rows)
        for row in test.rows:
            if (row["region"], row["stage"]) == (region, wanted):
                found.setdefault(row["patient_id"], []).append(measure.of(row))
    means = {patient: _mean(values) for patient, values in found.items()}
    return {patient: mean for patient, mean in means.items() if np.isfinite(mean)}


def mean(found: Scores) -> Interval:
    """Over patients, each of whom counts the same."""
    return resample_patients(list(found), _SEED).mean(np.array(list(found.values())))


def difference(other: Scores, ours: Scores) -> Difference | None:
    """`other` less `ours` over the patients of both; None where there is none."""
    patients = sorted(other.keys() & ours.keys())
    if not patients:
        return None
    differences = np.array([other[p] - ours[p] for p in patients])
    p = float(wilcoxon(differences).pvalue) if differences.any() else 1.0
    return Difference(resample_patients(patients, _SEED).mean(differences), p)


def differences(
    others: Mapping[str, Scores], ours: Scores
) -> Mapping[str, tuple[Difference, float]]:
    """Method → its difference from ours, and p after Holm over all of them."""
    found = {name: difference(other, ours) for name, other in others.items()}
    known = {name: each for name, each in found.items() if each is not None}
    if not known:
        return {}
    raised = holm_adjusted(np.array([each.p for each in known.values()]))
    return {name: (each, float(p)) for (name, each), p in zip(known.items(), raised, strict=True)}


def risk_curve(tests: Sequence[FoldResult], shares: Array) -> tuple[Array, Array]:
    """Root-mean-square error of the images that are kept, by their uncertainty and by an oracle.

    Args:
        tests: of a method.
        shares: of the images that are kept, (n).

    Returns:
        Two curves (n), in the unit of the output.
    """
    errors, uncertainties = _by_image(tests, "error"), _by_image(tests, "uncertainty")
    curves = []
    for order in (np.argsort(uncertainties, kind="stable"), np.argsort(errors, kind="stable")):
        running = np.cumsum(errors[order] ** 2) / np.arange(1, errors.size + 1)
        kept = np.clip(np.ceil(shares * errors.size).astype(int), 1, errors.size)
        curves.append(np.sqrt(running[kept - 1]))
    return curves[0], curves[1]


def risk_area(tests: Sequence[FoldResult]) -> float:
    """Area under risk against coverage over that of chance: below 1, sigma ranks images."""
    errors, uncertainties = _by_image(tests, "error"), _by_image(tests, "uncertainty")
    area = risk_coverage_area(errors, uncertainties, np.ones((1, errors.size)))[0]
    return float(area / errors.mean())


def _by_image(tests: Sequence[FoldResult], column: str) -> Array:
    last = {test.fold.number: max(row["stage"] for row in test.rows) for test in tests}
    return np.array(
        [
            row[column]
            for test in tests
            for row in test.rows
            if row["region"] == "whole" and row["stage"] == last[test.fold.number]
        ]
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
