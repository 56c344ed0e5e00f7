"""Paired comparisons over patients and seeds, and what uncertainty is ranked against."""

from collections.abc import Mapping

import numpy as np
import pytest
from question_comparison import compare
from question_results import RunResult, SliceRow, keep_result, kept_result
from question_uncertainty import curve_name, uncertainty_values

from dfsynth.evaluate.streaks import SliceTruth

FIGURES = {
    "cnr": 2.0,
    "truth_cnr": 4.0,
    "contrast_to_error": 3.0,
    "lung_bias_per_m": 0.02,
    "lung_truth_per_m": 2.0,
    "line_spread_fwhm_mm": 5.0,
    "lung_rmse_per_m": 0.5,
    "streak_power_per_m2": 0.1,
}


def rows(patients: int = 6, **changed: float) -> list[SliceRow]:
    """Patients that differ in all but the figures' ratios."""
    values = FIGURES | changed
    return [
        SliceRow(f"k{n}", f"p{n}", {name: value * (1 + n) for name, value in values.items()})
        for n in range(patients)
    ]


def test_ratios_are_paired_however_far_patients_lie_apart() -> None:
    baseline = {0: rows(), 1: rows()}
    found = compare("better", {0: rows(cnr=2.6), 1: rows(cnr=2.6)}, baseline)
    assert found is not None
    assert (found.seeds, found.slices) == (2, 6)
    ratio = found.cnr_ratio
    assert [ratio.value, ratio.low, ratio.high] == pytest.approx([1.3] * 3)
    assert found.of_truth_cnr.value == pytest.approx(0.65)
    assert found.fwhm_ratio.value == pytest.approx(1)
    assert found.lung_bias.value == pytest.approx(0.01)
    assert found.cnr.low is not None
    assert found.cnr.high is not None
    assert found.cnr.low < found.cnr.high


def test_only_seeds_of_both_are_compared() -> None:
    found = compare("x", {1: rows(cnr=1.0), 2: rows(cnr=100.0)}, {0: rows(), 1: rows()})
    assert found is not None
    assert found.seeds == 1
    assert found.cnr_ratio.value == pytest.approx(0.5)
    assert compare("x", {3: rows()}, {0: rows()}) is None


def test_what_needs_no_training_stands_beside_every_seed() -> None:
    found = compare("truth", {0: rows(cnr=4.0)}, {0: rows(), 5: rows(cnr=4.0)})
    assert found is not None
    assert found.seeds == 2


@pytest.mark.parametrize(
    ("changed", "reached"),
    [
        ({"cnr": 2.6}, True),
        ({"cnr": 2.4}, False),
        ({"cnr": 2.6, "lung_bias_per_m": -0.12}, False),
        ({"cnr": 2.6, "line_spread_fwhm_mm": 5.1}, False),
        ({"cnr": np.nan}, False),
    ],
)
def test_the_aim_asks_for_contrast_bias_and_sharpness_together(
    changed: Mapping[str, float], reached: bool
) -> None:
    found = compare("x", {0: rows(1, **changed)}, {0: rows(1)})
    assert found is not None
    assert found.reaches is reached


def test_results_come_back_as_they_were_kept(tmp_path) -> None:
    made_with = {"settings": {"widths": (1, 2)}}
    kept = RunResult("a b", 3, made_with, 1.0, float("nan"), {"once": rows(cnr=np.nan)}, ())
    keep_result(tmp_path, kept)
    found = kept_result(tmp_path, "a b", 3, made_with)
    assert found is not None
    assert np.isnan(found.restored["once"][0].values["cnr"])
    assert found.restored["once"][2].values["truth_cnr"] == 12.0
    assert kept_result(tmp_path, "a b", 4, made_with) is None
    with pytest.raises(SystemExit, match="other settings or slices"):
        kept_result(tmp_path, "a b", 3, {"settings": {"widths": (1, 3)}})


def test_uncertainty_that_is_the_error_is_an_oracle_and_a_random_one_is_chance() -> None:
    random = np.random.default_rng(0)
    truth = np.zeros((64, 64), np.float32)
    truth[20:40, 20:40] = 2.5
    lung = (truth > 0).astype(np.uint8)
    known = SliceTruth.find(truth, lung, 1 - lung, 1.0)
    error = random.normal(size=truth.shape).astype(np.float32)
    right = (truth + error, np.abs(error), np.zeros_like(error))
    blind = (truth + error, random.permuted(np.abs(error)), np.zeros_like(error))
    found = uncertainty_values([blind, right], truth, known)
    for region in ("view", "lung", "empty"):
        assert found[f"{region} sigma spearman"] == pytest.approx(1)
        assert found[f"{region} sigma share of oracle"] == pytest.approx(1)
        assert found[f"{region} sigma of stage 2 spearman"] == pytest.approx(1)
        assert abs(found[f"{region} sigma of stage 1 spearman"]) < 0.2
        assert np.isnan(found[f"{region} epistemic spearman"])
        assert found[f"{region} epistemic area"] == pytest.approx(1)
        assert found[curve_name(region, "sigma", 1.0)] == pytest.approx(1)
        assert found[curve_name(region, "oracle", 0.5)] < 0.5
