"""Thresholds of controlled risk: the tests, the sequence, and the guarantee itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dfsynth.statistics import (
    attainable_error,
    attainable_risk,
    fewest_patients,
    find_threshold,
    lowest_risk,
)
from dfsynth.statistics.learn_then_test import p_values, running_loss

RISK, CONFIDENCE = 0.1, 0.95
DRAWS = 1000
# More than so many violations in 1,000 draws happen once in 10,000 runs if each has 5 %.
MOST_VIOLATIONS = int(binom.ppf(1 - 1e-4, DRAWS, 1 - CONFIDENCE))

samples = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 6)), min_size=1, max_size=40
)


def test_the_binomial_p_value_is_exact() -> None:
    patients = np.repeat(np.arange(1, 120), 120)
    failures = np.tile(np.arange(120), 119)
    low = failures < 0.13 * patients
    found = p_values(failures[low].astype(float), patients[low], 0.13, binary=True)
    np.testing.assert_allclose(found, binom.cdf(failures[low], patients[low], 0.13), atol=1e-12)


def test_as_many_failures_as_the_risk_are_no_evidence() -> None:
    for binary in (True, False):
        assert p_values(np.array([4.0, 9.0]), np.array([40, 40]), 0.1, binary).tolist() == [1, 1]


def test_the_p_value_of_shares_bounds_the_chance_of_so_small_a_mean() -> None:
    """For 0 or 1, whose law is known; equal to it where nothing fails."""
    patients, losses = np.full(12, 120), np.arange(12.0)
    exact = binom.cdf(losses, 120, 0.1)
    bound = p_values(losses, patients, 0.1, binary=False)
    assert np.all(bound >= exact - 1e-12)
    assert bound[0] == pytest.approx(exact[0])
    assert np.all(bound <= math.e * exact + 1e-12)
    between = p_values(np.array([3.5]), np.array([120]), 0.1, binary=False)[0]
    assert bound[3] < between <= bound[4]


def test_29_patients_without_a_failure_are_enough_and_28_are_not() -> None:
    assert fewest_patients(RISK, CONFIDENCE) == 29
    assert lowest_risk(20, CONFIDENCE) == pytest.approx(0.139, abs=5e-4)
    for count, expected in ((28, None), (29, 28.0)):
        names = np.arange(count)
        found = find_threshold(
            names.astype(float), np.zeros(count, np.bool_), names, RISK, CONFIDENCE
        )
        assert (None if found is None else found.threshold) == expected


@pytest.mark.parametrize("count", [1, 7, 20, 29, 300])
def test_the_lowest_risk_and_the_fewest_patients_say_the_same(count: int) -> None:
    assert fewest_patients(lowest_risk(count, CONFIDENCE), CONFIDENCE) == count
    assert fewest_patients(0.99 * lowest_risk(count, CONFIDENCE), CONFIDENCE) > count


def test_several_images_of_a_patient_are_no_more_patients() -> None:
    names = np.repeat(np.arange(28), 10)
    scores = np.arange(280.0)
    assert find_threshold(scores, np.zeros(280, np.bool_), names, RISK, CONFIDENCE) is None


def test_the_sequence_ends_at_the_first_failure_to_reject() -> None:
    """Beyond too many failures nothing is kept, however good it were."""
    scores = np.arange(400.0)
    failed = (scores >= 200) & (scores < 240)
    found = find_threshold(scores, failed, scores, RISK, CONFIDENCE)
    assert found is not None
    too_many = next(n for n in range(40) if binom.cdf(n, 200 + n, RISK) > 0.05)
    assert (found.threshold, found.patients) == (198.0 + too_many, 199 + too_many)
    assert found.loss == pytest.approx((too_many - 1) / (199 + too_many))
    assert find_threshold(scores, failed & (scores < 0), scores, RISK, CONFIDENCE) is not None
    assert find_threshold(-scores, scores > 280, scores, RISK, CONFIDENCE) is None


def test_order_and_names_change_nothing() -> None:
    rng = np.random.default_rng(0)
    scores, owner = rng.random(300), rng.integers(0, 120, 300)
    failed = rng.random(300) < 0.1 * scores
    names = np.array([f"patient {i}" for i in owner])
    mixed = rng.permutation(300)
    one = find_threshold(scores, failed, owner, RISK, CONFIDENCE)
    assert one is not None
    assert one == find_threshold(scores[mixed], failed[mixed], names[mixed], RISK, CONFIDENCE)


@given(samples)
def test_losses_run_as_counted_one_threshold_after_the_other(
    sample: list[tuple[int, bool, int]],
) -> None:
    scores, failed, owner = (np.array(values) for values in zip(*sample, strict=True))
    running = running_loss(scores.astype(float), failed, owner)
    assert running.scores.tolist() == sorted(set(scores.tolist()))
    for threshold, patients, losses in zip(
        running.scores, running.patients, running.losses, strict=True
    ):
        kept = [(o, f) for s, f, o in sample if s <= threshold]
        of = {patient: [f for o, f in kept if o == patient] for patient, _ in kept}
        assert patients == len(of)
        assert losses == pytest.approx(sum(map(np.mean, of.values())))


@pytest.mark.parametrize(("risk", "confidence"), [(0, 0.95), (1, 0.95), (0.1, 0), (0.1, math.nan)])
def test_levels_lie_between_0_and_1(risk: float, confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        find_threshold(np.ones(3), np.zeros(3, np.bool_), np.arange(3), risk, confidence)


@pytest.mark.parametrize("scores", [[], [0.1, math.nan]])
def test_scores_are_there_and_finite(scores: list[float]) -> None:
    count = len(scores)
    with pytest.raises(ValueError, match="at least one score, all finite"):
        find_threshold(np.array(scores), np.zeros(count, np.bool_), np.arange(count), 0.1, 0.95)


def test_what_is_attainable_is_attained() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(80)
    errors = 0.2 + 0.3 * rng.random(80)
    names, failed = np.arange(80), errors > 0.3
    assert find_threshold(scores, failed, names, RISK, CONFIDENCE) is None
    risk = attainable_risk(scores, failed, names, CONFIDENCE)
    assert risk is not None
    assert find_threshold(scores, failed, names, risk, CONFIDENCE) is not None
    assert find_threshold(scores, failed, names, risk - 0.01, CONFIDENCE) is None
    error = attainable_error(scores, errors, names, RISK, CONFIDENCE)
    assert error is not None
    assert find_threshold(scores, errors > error, names, RISK, CONFIDENCE) is not None
    below = errors[errors < error].max()
    assert find_threshold(scores, errors > below, names, RISK, CONFIDENCE) is None


def test_nothing_is_attainable_of_too_few_patients() -> None:
    assert attainable_error(np.ones(5), np.ones(5), np.arange(5), RISK, CONFIDENCE) is None
    alone = np.ones(1)
    assert attainable_risk(alone, alone > 0, alone, 0.999) is None


def draw(
    rng: np.random.Generator, patients: int, images: int, ease: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, failures and patients: half of an image's difficulty is its patient's."""
    own = rng.standard_normal((patients, images)) / math.sqrt(2)
    difficulty = own + rng.standard_normal((patients, 1)) / math.sqrt(2)
    scores = difficulty + 0.5 * rng.standard_normal(own.shape)
    failed = difficulty - ease + 0.5 * rng.standard_normal(own.shape) > 1.0
    return scores.ravel(), failed.ravel(), np.repeat(np.arange(patients), images)


def violations(patients: int, images: int, ease: float = 0.0) -> tuple[int, int]:
    """Of 1,000 draws: thresholds with a risk above the level, and thresholds at all."""
    rng = np.random.default_rng([patients, images])
    population = running_loss(*draw(rng, 40_000, images))
    risks = population.losses / population.patients
    above = found = 0
    for _ in range(DRAWS):
        threshold = find_threshold(*draw(rng, patients, images, ease), RISK, CONFIDENCE)
        if threshold is not None:
            found += 1
            at = np.searchsorted(population.scores, threshold.threshold, side="right") - 1
            above += risks[at] > RISK
    return above, found


@pytest.mark.parametrize(("patients", "images"), [(40, 1), (160, 1), (40, 4), (160, 4)])
def test_the_risk_is_controlled_in_as_many_draws_as_promised(patients: int, images: int) -> None:
    above, found = violations(patients, images)
    assert found > 100, "a test that nothing passes shows nothing"
    assert above <= MOST_VIOLATIONS


def test_a_score_that_says_nothing_promises_nothing() -> None:
    """The hardest case: every threshold is just above the level."""
    rng = np.random.default_rng(1)
    found = sum(
        find_threshold(rng.random(120), rng.random(120) < 0.101, np.arange(120), RISK, CONFIDENCE)
        is not None
        for _ in range(DRAWS)
    )
    assert 10 < found <= MOST_VIOLATIONS


def test_easier_patients_in_the_calibration_void_the_promise() -> None:
    """Known, and said wherever a promise is: nothing here can notice it."""
    above, _ = violations(160, 1, ease=1.0)
    assert above > 0.9 * DRAWS
