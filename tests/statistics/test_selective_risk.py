"""Risk against coverage: what an oracle, chance and equal scores give, and every tie in turn."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.statistics import risk_at, risk_coverage_area, share_of_oracle

Array = NDArray[np.float64]

_ERRORS = st.lists(st.floats(0, 10), min_size=1, max_size=25).map(np.array)
_SHARES = st.floats(0.01, 1)


def _scores(size: int) -> st.SearchStrategy[Array]:
    """Few values, so that many are equal; one is infinite."""
    values = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.inf])
    return st.lists(values, min_size=size, max_size=size).map(np.array)


_SCORED = _ERRORS.flatmap(lambda errors: st.tuples(st.just(errors), _scores(errors.size)))


def _once(errors: Array) -> Array:
    return np.ones((1, errors.size))


@given(_SCORED, _SHARES)
def test_nothing_is_below_an_oracle_or_above_its_opposite(
    scored: tuple[Array, Array], share: float
) -> None:
    errors, scores = scored
    once = _once(errors)
    for least, found, most in (
        [risk_coverage_area(errors, s, once)[0] for s in (errors, scores, -errors)],
        [risk_at(share, errors, s, once)[0] for s in (errors, scores, -errors)],
    ):
        assert least <= found + 1e-9
        assert found <= most + 1e-9


@given(_ERRORS, _SHARES, st.floats(-5, 5))
def test_a_constant_score_is_flat_at_the_mean(errors: Array, share: float, level: float) -> None:
    scores, once = np.full(errors.size, level), _once(errors)
    mean = pytest.approx(errors.mean(), rel=1e-9, abs=1e-12)
    assert risk_at(share, errors, scores, once)[0] == mean
    assert risk_coverage_area(errors, scores, once)[0] == mean


def test_chance_is_flat_at_the_mean() -> None:
    rng = np.random.default_rng(3)
    errors = rng.gamma(2, size=40)
    drawn = np.stack([rng.random(40) for _ in range(4000)])
    areas = [risk_coverage_area(errors, scores, _once(errors))[0] for scores in drawn]
    risks = [risk_at(0.3, errors, scores, _once(errors))[0] for scores in drawn]
    for found in (areas, risks):
        error = np.std(found) / np.sqrt(len(found))
        assert np.mean(found) == pytest.approx(errors.mean(), abs=4 * error)


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=6).flatmap(
        lambda errors: st.tuples(st.just(np.array(errors)), _scores(len(errors)))
    )
)
def test_ties_are_the_mean_over_every_order_of_them(scored: tuple[Array, Array]) -> None:
    errors, scores = scored
    areas, risks = [], []
    for order in permutations(range(errors.size)):
        shuffled = errors[list(order)]
        kept_first = shuffled[np.argsort(scores[list(order)], kind="stable")]
        curve = np.cumsum(kept_first) / np.arange(1, errors.size + 1)
        areas.append(curve.mean())
        risks.append(curve[0])
    once = _once(errors)
    assert risk_coverage_area(errors, scores, once)[0] == pytest.approx(np.mean(areas), abs=1e-9)
    first = risk_at(1 / errors.size, errors, scores, once)[0]
    assert first == pytest.approx(np.mean(risks), abs=1e-9)


@given(_SCORED, _SHARES, st.integers(0, 2**32 - 1))
def test_a_weight_is_how_often_an_image_is_there(
    scored: tuple[Array, Array], share: float, seed: int
) -> None:
    errors, scores = scored
    weights = np.random.default_rng(seed).integers(0, 4, (3, errors.size)).astype(float)
    weights[:, 0] += 1
    for measure in (risk_coverage_area, lambda *a: risk_at(share, *a)):
        together = measure(errors, scores, weights)
        for draw, found in zip(weights.astype(int), together, strict=True):
            repeated = np.repeat(errors, draw), np.repeat(scores, draw)
            alone = measure(*repeated, np.ones((1, int(draw.sum()))))
            assert found == pytest.approx(alone[0], rel=1e-9, abs=1e-9)


def test_the_share_of_an_oracle() -> None:
    errors = np.arange(10.0)
    once = _once(errors)
    assert share_of_oracle(0.7, errors, errors, once)[0] == pytest.approx(1)
    assert share_of_oracle(0.7, errors, np.zeros(10), once)[0] == pytest.approx(0)
    assert share_of_oracle(0.7, errors, -errors, once)[0] == pytest.approx(-1)
    # The three that go are 9, 8 and 6 instead of 9, 8 and 7.
    nearly = np.where(errors == 7, 5.5, errors)
    assert share_of_oracle(0.7, errors, nearly, once)[0] == pytest.approx((4.5 - 22 / 7) / 1.5)
    assert np.isnan(share_of_oracle(0.7, np.full(10, 0.3), errors, once)[0])


@pytest.mark.parametrize("share", [0.0, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="a share above 0"):
        risk_at(share, np.ones(2), np.ones(2), np.ones((1, 2)))
