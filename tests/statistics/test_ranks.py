"""Weighted ranks against scipy, AUROC against torchmetrics and its definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from torchmetrics.functional.classification import binary_auroc

from dfsynth.statistics import auroc, concordance, weighted_auroc, weighted_rank_correlation

RNG = np.random.default_rng(8)
ERROR = RNG.standard_normal(4000)

few_scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


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


@given(few_scores, few_scores, st.integers(0, 2**32 - 1))
def test_concordance_counts_every_pair_and_half_of_the_ties(
    low: list[float], high: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weight_low, weight_high = rng.integers(0, 4, len(low)), rng.integers(0, 4, len(high))
    right = sum(
        u * v * (1.0 if b > a else 0.5 if b == a else 0.0)
        for a, u in zip(low, weight_low, strict=True)
        for b, v in zip(high, weight_high, strict=True)
    )
    found, pairs = concordance(
        np.array([*low, *high]),
        np.repeat([False, True], [len(low), len(high)]),
        np.concatenate([weight_low, weight_high]).astype(float)[None],
    )
    assert found.item() == right
    assert pairs.item() == weight_low.sum() * weight_high.sum()


def test_auroc_of_apart_equal_and_turned_round() -> None:
    positive = np.array([False, False, True, True])
    assert auroc(np.array([0.0, 1.0, 2.0, 3.0]), positive) == 1
    assert auroc(np.zeros(4), positive) == 0.5
    assert auroc(np.array([3.0, 2.0, 1.0, 0.0]), positive) == 0


@pytest.mark.parametrize("positive", [True, False])
def test_one_kind_of_values_is_refused(positive: bool) -> None:
    with pytest.raises(ValueError, match="both kinds"):
        auroc(np.arange(3.0), np.full(3, positive))
