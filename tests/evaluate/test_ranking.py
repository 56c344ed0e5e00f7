"""Rankings against scipy, and the two ends of a sparsification curve."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torchmetrics.functional.classification import binary_auroc

from dfsynth.evaluate.ranking import (
    REMOVED,
    area_between,
    rank_correlation,
    sparsification_curve,
    weighted_auroc,
    weighted_rank_correlation,
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


def test_weights_stand_for_repeated_values() -> None:
    first, second = np.round(ERROR[:30], 1), ERROR[30:60] + ERROR[:30]
    weights = RNG.multinomial(30, np.full(30, 1 / 30), 20).astype(float)
    found = weighted_rank_correlation(first, second, weights)
    for value, weight in zip(found, weights.astype(int), strict=True):
        expected = spearmanr(np.repeat(first, weight), np.repeat(second, weight)).statistic
        assert value == pytest.approx(expected, abs=1e-9)


def test_the_auroc_of_repeated_values_is_torchmetrics() -> None:
    values = np.round(RNG.random(40), 1)
    positive = RNG.random(40) < 0.4
    weights = RNG.multinomial(40, np.full(40, 1 / 40), 20).astype(float)
    found = weighted_auroc(values, positive, weights)
    for value, weight in zip(found, weights.astype(int), strict=True):
        scores = torch.from_numpy(np.repeat(values, weight))
        labels = torch.from_numpy(np.repeat(positive, weight).astype(int))
        assert value == pytest.approx(float(binary_auroc(scores, labels)), abs=1e-6)
