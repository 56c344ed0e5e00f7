"""AUROC and intervals against their definitions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from intervals import bootstrap_mean, concordance, patient_weights

few_scores = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


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
    found = concordance(
        np.array(low), np.array(high), weight_low.astype(float), weight_high.astype(float)
    )
    assert found == (right, float(weight_low.sum() * weight_high.sum()))


def test_all_pictures_of_a_patient_are_drawn_as_often() -> None:
    patients = ["a", "b", "a", "c", "a"]
    for seed in range(20):
        weights = patient_weights(patients, np.random.default_rng(seed))
        assert weights[0] == weights[2] == weights[4]
        assert weights[[0, 1, 3]].sum() == 3
    assert patient_weights(patients, None).tolist() == [1] * 5


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(40):
        values = rng.normal(0.3, 0.1, 60)
        interval = bootstrap_mean(values, [str(i) for i in range(60)], seed)
        covered += interval.low <= 0.3 <= interval.high
    assert 34 <= covered <= 40


def test_pictures_of_one_patient_do_not_narrow_the_interval() -> None:
    values = np.random.default_rng(0).normal(0.3, 0.1, 40)
    once = bootstrap_mean(values, [str(i) for i in range(40)], 0)
    copies = bootstrap_mean(np.tile(values, 9), [str(i) for i in range(40)] * 9, 0)
    np.testing.assert_allclose([copies.low, copies.high], [once.low, once.high], atol=1e-12)
