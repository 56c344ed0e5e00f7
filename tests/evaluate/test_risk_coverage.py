"""Risk against coverage of whole evaluations, and of scores whose order is known."""

import dataclasses
from typing import Any

import cv2
import numpy as np
import pytest

from dfsynth.evaluate.density import PredictiveDistribution
from dfsynth.evaluate.measurement import PredictedImage
from dfsynth.evaluate.risk_coverage import (
    KEPT,
    measure_risk_coverage,
    missing_scores,
    shape_error_of,
)
from dfsynth.evaluate.risk_figure import draw_risk_coverage
from dfsynth.records import Scored
from dfsynth.score import NO_SCORES
from dfsynth.statistics import resample_patients

_ERRORS = np.arange(1.0, 21.0)
_RESAMPLES = resample_patients([f"patient {n // 2}" for n in range(20)], seed=0)


def _scored(**columns: Any) -> list[Scored]:
    return [
        Scored({**NO_SCORES, **{name: values[n] for name, values in columns.items()}}, ())
        for n in range(20)
    ]


def _measure(errors: np.ndarray = _ERRORS, **columns: Any) -> Any:
    found = measure_risk_coverage({"shape": errors}, _scored(**columns), _RESAMPLES)
    assert found is not None
    return found["shape"]


def test_a_score_that_orders_as_the_error_does_is_an_oracle() -> None:
    found = _measure(uncertainty=list(_ERRORS**2))
    assert found["uncertainty"] == found["oracle"]
    assert found["oracle"].excess_area.value == found["oracle"].excess_area.high == 0
    assert found["oracle"].share_of_oracle_70.value == found["oracle"].spearman.value == 1
    assert found["oracle"].area.value == pytest.approx(np.mean([(k + 1) / 2 for k in range(1, 21)]))


def test_chance_keeps_the_mean_and_removes_nothing() -> None:
    random = _measure()["random"]
    assert random.curve == pytest.approx([10.5] * KEPT.size)
    assert random.area.value == pytest.approx(10.5)
    assert random.area.low < 10.5 < random.area.high
    assert random.share_of_oracle_70.value == 0
    assert random.spearman.value is None


def test_the_score_says_which_end_goes_first() -> None:
    falling = list(-_ERRORS)
    found = _measure(lung_fraction=falling, epistemic_mean=falling, dark_field_mean=falling)
    assert found["lung_fraction"] == found["oracle"]
    assert found["epistemic_mean"].share_of_oracle_70.value == pytest.approx(-1)
    assert found.keys() == {"random", "oracle", "lung_fraction", "epistemic_mean"}


def test_an_image_without_the_score_goes_first_and_one_without_an_error_counts_nowhere() -> None:
    errors = np.where(_ERRORS == 1, np.nan, _ERRORS)
    scores = [None if error > 15 else error for error in _ERRORS]
    found = _measure(errors, uncertainty=scores)
    assert found["random"].images == 19
    assert found["random"].area.value == pytest.approx(11)
    assert found["uncertainty"].share_of_oracle_70.value == pytest.approx(1, abs=0.06)
    assert found["uncertainty"].curve[0] == pytest.approx(2)


def test_without_errors_there_is_nothing_and_missing_scores_are_named() -> None:
    unknown = np.full(20, np.nan)
    scored = _scored(uncertainty=list(_ERRORS))
    assert measure_risk_coverage({"shape": unknown}, scored, _RESAMPLES) is None
    found = measure_risk_coverage({"shape": unknown, "lung_mae": _ERRORS}, scored, _RESAMPLES)
    assert found is not None
    assert found.keys() == {"lung_mae"}
    assert "uncertainty" not in missing_scores(scored)
    assert "ood_score" in missing_scores(scored)


def test_the_error_of_shape_is_that_of_the_last_stage_against_the_clean_target() -> None:
    rng = np.random.default_rng(0)
    clean, other = rng.random((2, 6, 5)).astype(np.float32)
    lung = clean > 0.5

    def error_of(mean: np.ndarray, known: bool = True) -> float:
        stages = [PredictiveDistribution(m, m, m) for m in (other, mean)]
        return shape_error_of(PredictedImage(stages, other, clean if known else None, lung))

    assert error_of(np.float32(0.3) * clean) == pytest.approx(0, abs=1e-6)
    assert error_of(other) > 0.2
    assert np.isnan(error_of(other, known=False))


def test_an_evaluation_has_it_for_both_errors(evaluate, make_pairs) -> None:
    scores = evaluate(make_pairs()).scores
    assert scores.risk_coverage.keys() == {"shape", "lung_mae"}
    for ranked in scores.risk_coverage.values():
        assert {"random", "oracle", "uncertainty", "lung_fraction"} <= ranked.keys()
        assert "ood_score" not in ranked
        assert {found.images for found in ranked.values()} == {12}
    (line,) = [w for w in scores.warnings if "risk against coverage" in w]
    assert "ood_score: no image has it" in line


def test_without_a_clean_target_there_is_none_and_the_picture_says_so(evaluate, make_pairs) -> None:
    scores = evaluate(make_pairs(with_truth=False)).scores
    assert scores.risk_coverage is None
    assert not [w for w in scores.warnings if "risk against coverage" in w]
    known = evaluate(make_pairs()).scores
    said, drawn = (_colours(draw_risk_coverage(s)) for s in (scores, known))
    assert said < drawn
    ranked = {"shape": known.risk_coverage["shape"]}
    one = dataclasses.replace(known, risk_coverage=ranked)
    assert said < _colours(draw_risk_coverage(one))


def _colours(png: bytes) -> int:
    """Pixels of a picture that are not grey."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return int((np.ptp(image.astype(int), axis=2) > 60).sum())
