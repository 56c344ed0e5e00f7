"""Rankings against scipy, and the two ends of a sparsification curve."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dfsynth.evaluate.ranking import (
    REMOVED,
    area_between,
    rank_correlation,
    sparsification_curve,
)

RNG = np.random.default_rng(8)
ERROR = RNG.standard_normal(4000)


def test_the_error_itself_is_the_best_ranking_and_its_opposite_the_worst() -> None:
    best = sparsification_curve(ERROR, np.abs(ERROR))
    areas = [
        area_between(sparsification_curve(ERROR, ranking), best)
        for ranking in (np.abs(ERROR), RNG.random(ERROR.size), -np.abs(ERROR))
    ]
    assert areas[0] == 0
    assert areas[0] < areas[1] < areas[2]


def test_a_curve_is_the_mean_error_of_what_is_left() -> None:
    uncertainty = RNG.random(ERROR.size)
    curve = sparsification_curve(ERROR, uncertainty)
    for share, found in zip(REMOVED, curve, strict=True):
        left = np.argsort(uncertainty)[: round((1 - share) * ERROR.size)]
        assert found == pytest.approx(np.abs(ERROR[left]).mean() / np.abs(ERROR).mean())


def test_an_uncertainty_that_knows_nothing_leaves_the_error_as_it_is() -> None:
    np.testing.assert_allclose(sparsification_curve(ERROR, RNG.random(ERROR.size)), 1, atol=0.1)


def test_no_error_has_no_curve() -> None:
    assert np.isnan(sparsification_curve(np.zeros(50), np.arange(50.0))).all()


def test_the_correlation_is_scipys() -> None:
    other = np.round(ERROR + RNG.standard_normal(ERROR.size), 1)
    assert rank_correlation(other, ERROR) == pytest.approx(
        spearmanr(other, ERROR).statistic, abs=1e-5
    )
    assert np.isnan(rank_correlation(np.ones(9), np.arange(9.0)))
    assert np.isnan(rank_correlation(np.arange(2.0), np.arange(2.0)))
