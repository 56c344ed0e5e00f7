"""What heads say: names and ranges, each image by itself, the formulas of their parts."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_heads import FLAGS, drawn_evidence, drawn_heads, figure_count, layout_count
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import CheckpointError
from dfsynth.records import LEARNED_FLAGS
from dfsynth.score import LEARNED_SCORES
from dfsynth.trust import Learned, Perceptron, TrustHeads

EMBEDDING = 6
INPUTS = 7 + 4


def fitting(**changed: Any) -> TrustHeads:
    """Heads that take what `drawn_evidence` gives."""
    return drawn_heads(figure_count(), layout_count(EMBEDDING), **changed)


def numbers(said: list[Learned]) -> np.ndarray:
    return np.array([list(one.scores.values()) for one in said])


@given(seed=st.integers(0, 99), scale=st.sampled_from([0.0, 1.0, 1e4, 1e15]))
def test_every_learned_score_is_said_finite_and_in_range(seed: int, scale: float) -> None:
    """However far what they see lies from what they were trained on."""
    heads = fitting(seed=seed)
    wild = [scale * weight for weight in heads.error.weights]
    heads = replace(heads, error=Perceptron(wild, heads.error.biases))
    for one in heads([drawn_evidence(seed=seed), drawn_evidence((40, 8), 0, EMBEDDING, 3)]):
        assert set(one.scores) == set(LEARNED_SCORES)
        assert set(one.flags) <= set(LEARNED_FLAGS)
        assert all(type(value) is float and np.isfinite(value) for value in one.scores.values())
        for name in ("predicted_error", "error_bound"):
            assert 0 <= one.scores[name] <= 1
        for name in LEARNED_SCORES:
            assert name == "ood_score" or one.scores[name] >= 0


def test_what_is_said_of_an_image_does_not_depend_on_its_batch() -> None:
    heads, seen = fitting(), [drawn_evidence(seed=seed) for seed in range(5)]
    alone = [heads([one])[0] for one in seen]
    for order in ([0, 1, 2, 3, 4], [4, 2], [3, 3, 0]):
        together = heads([seen[i] for i in order])
        wanted = [alone[i] for i in order]
        np.testing.assert_allclose(numbers(together), numbers(wanted), rtol=1e-4, atol=1e-5)
        assert [one.flags for one in together] == [one.flags for one in wanted]
    assert np.ptp(numbers(alone), axis=0).min() > 1e-4, "all alike: the comparison shows nothing"


def test_an_image_that_is_not_finite_spoils_no_other() -> None:
    heads, good = fitting(), drawn_evidence()
    broken = drawn_evidence(seed=1)
    broken.dark_field[:] = np.nan
    with np.errstate(invalid="ignore"):
        spoilt, found = heads([broken, good])
    np.testing.assert_allclose(numbers([found]), numbers(heads([good])), rtol=1e-4, atol=1e-5)
    assert not np.isfinite(numbers([spoilt])).all(), "it fails by its own scores"


def test_a_description_of_another_network_is_refused() -> None:
    heads = fitting()
    for other in (drawn_evidence(embedding=EMBEDDING + 1), drawn_evidence(embedding=0)):
        with pytest.raises(CheckpointError, match="do not belong together") as caught:
            heads([other])
        assert "\n" not in str(caught.value)


def test_a_perceptron_averages_its_networks() -> None:
    random = np.random.default_rng(0)
    heads = drawn_heads(7, 3)
    inputs = random.standard_normal((6, INPUTS)).astype(np.float32)
    wanted = []
    for network in range(2):
        hidden = inputs @ heads.error.weights[0][network] + heads.error.biases[0][network]
        hidden = hidden / (1 + np.exp(-hidden))
        wanted.append(hidden @ heads.error.weights[1][network] + heads.error.biases[1][network])
    np.testing.assert_allclose(heads.error(inputs), np.mean(wanted, axis=0), rtol=0, atol=1e-5)


@given(offset=st.floats(-50, 50))
def test_distance_is_that_of_mahalanobis_beyond_the_usual(offset: float) -> None:
    """Here of unit covariance along one axis, a usual distance of 2 and 0.5 to the percentile."""
    heads = drawn_heads(7, 3, precision=np.eye(INPUTS, dtype=np.float32))
    inputs = np.tile(heads.centre, (2, 1))
    inputs[1, 3] += offset
    found = heads.excess_distance(inputs)
    wanted = max((abs(offset) - 2) / 0.5, 0)
    np.testing.assert_allclose(found, [0, wanted], rtol=1e-4, atol=1e-4)


def test_each_group_has_its_own_margin() -> None:
    """An edge belongs to the group below it."""
    heads = drawn_heads(7, 3)
    logits = np.array([-9, -0.2, -0.1, 0.2, 0.3, 9], np.float32)
    found = heads.margins_of(logits)
    np.testing.assert_array_equal(found, np.array([0.3, 0.3, 0.5, 0.5, 0.7, 0.7], np.float32))


@given(margin=st.floats(0, 100), seed=st.integers(0, 20))
def test_a_bound_is_no_less_than_what_is_expected(margin: float, seed: int) -> None:
    inputs = np.random.default_rng(seed).standard_normal((4, INPUTS)).astype(np.float32)
    said = drawn_heads(7, 3, seed, margins=np.full(3, margin, np.float32)).judge(inputs)
    for one in said:
        assert one.scores["error_bound"] >= one.scores["predicted_error"] - 1e-6
    if margin > 60:
        assert {one.scores["error_bound"] for one in said} == {1.0}


def test_a_flag_is_raised_above_its_own_threshold() -> None:
    heads = drawn_heads(7, 3)
    inputs = np.random.default_rng(1).standard_normal((1, INPUTS)).astype(np.float32)
    logits = heads.kinds(inputs)[0, 1:]
    assert heads.judge(inputs)[0].flags != FLAGS
    at = replace(heads, flag_thresholds=logits)
    assert at.judge(inputs)[0].flags == ()
    for number, flag in enumerate(FLAGS):
        lower = logits.copy()
        lower[number] -= 1e-3
        assert replace(heads, flag_thresholds=lower).judge(inputs)[0].flags == (flag,)


def test_the_vote_and_the_distance_both_count() -> None:
    heads = drawn_heads(7, 3)
    near, far = heads.centre[None], heads.centre[None] + np.float32(9)
    vote = heads.kinds(far)[0, 0] - heads.kinds(near)[0, 0]
    found = heads.unlikeness(far)[0] - heads.unlikeness(near)[0]
    assert found == pytest.approx(vote + heads.excess_distance(far)[0], rel=1e-5)
    assert heads.excess_distance(far)[0] > 1
    [said] = heads.judge(far)
    wanted = float(heads.unlikeness(far)[0] - heads.ood_offset[0])
    assert said.scores["ood_score"] == pytest.approx(wanted, rel=1e-6)
