"""The best score so far: what beats it, and for how long nothing did."""

import math

import pytest

from dfsynth.train.early_stopping import BestSoFar, is_early_validation


def test_the_first_finite_score_is_the_best() -> None:
    assert BestSoFar().after(3.0) == BestSoFar(3.0, 0)


@pytest.mark.parametrize("score", [2.0, 2.5, math.nan, math.inf])
def test_validations_that_are_no_better_are_counted(score: float) -> None:
    found = BestSoFar(2.0, 4)
    assert not found.is_beaten_by(score)
    assert found.after(score) == BestSoFar(2.0, 5)


def test_what_is_not_finite_never_becomes_the_best() -> None:
    for score in (math.nan, math.inf, -math.inf):
        assert BestSoFar().after(score) == BestSoFar(None, 1)


def test_a_better_one_and_a_new_phase_start_the_count_anew() -> None:
    assert BestSoFar(2.0, 4).after(1.0) == BestSoFar(1.0, 0)
    assert BestSoFar(2.0, 4).in_new_phase() == BestSoFar(2.0, 0)


def test_early_validations_cost_no_patience() -> None:
    assert BestSoFar(2.0, 4).after(3.0, taxes_patience=False) == BestSoFar(2.0, 4)
    assert BestSoFar(2.0, 4).after(1.0, taxes_patience=False) == BestSoFar(1.0, 0)


@pytest.mark.parametrize(
    ("every", "expected"),
    [(500, [31, 62, 125, 250]), (16, [1, 2, 4, 8]), (66, [4, 8, 16, 33]), (15, []), (1, [])],
)
def test_the_way_to_the_first_validation_is_halved(every: int, expected: list[int]) -> None:
    assert [s for s in range(1, 4 * every) if is_early_validation(s, every)] == expected
