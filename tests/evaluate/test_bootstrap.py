"""Intervals over patients."""

import numpy as np
import pytest

from dfsynth.evaluate.bootstrap import Interval, draw_patients


def test_the_value_is_that_of_the_sample_and_nan_stays_out() -> None:
    values = np.array([1.0, 2.0, np.nan, 6.0])
    found = draw_patients(list("abcd"), seed=1).mean(values)
    assert found.value == pytest.approx(3.0)
    assert 1 <= found.low < 3 < found.high <= 6


def test_pictures_of_a_patient_are_no_independent_witnesses() -> None:
    """Forty copies of ten patients leave the interval as wide as ten patients do."""
    values = np.random.default_rng(3).standard_normal(10)
    alone = draw_patients([str(n) for n in range(10)], seed=2).mean(values)
    copies = draw_patients([str(n % 10) for n in range(400)], seed=2).mean(np.tile(values, 40))
    pictures = draw_patients([str(n) for n in range(400)], seed=2).mean(np.tile(values, 40))
    width = alone.high - alone.low
    assert copies.high - copies.low == pytest.approx(width, rel=1e-9)
    assert pictures.high - pictures.low < width / 3


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(5).standard_normal(400)
    found = draw_patients([str(n) for n in range(400)], seed=6).mean(values)
    assert found.high - found.low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_the_seed_decides() -> None:
    values = np.arange(12.0)
    patients = [str(n) for n in range(12)]
    assert draw_patients(patients, 1).mean(values) == draw_patients(patients, 1).mean(values)
    assert draw_patients(patients, 1).mean(values) != draw_patients(patients, 2).mean(values)


def test_one_patient_says_nothing_of_others() -> None:
    found = draw_patients(["a"] * 5, 1)
    assert found.mean(np.arange(5.0)) == Interval(2.0, None, None)
    assert str(found.mean(np.arange(5.0))) == "2.000"
    both = found.beside(draw_patients(list("xyz"), 2))
    assert both.mean(np.arange(8.0)) == Interval(3.5, None, None)


def test_nothing_known_gives_no_interval() -> None:
    found = draw_patients(["a", "b"], 0).mean(np.full(2, np.nan))
    assert found == Interval(None, None, None)


def test_two_samples_are_drawn_each_within_itself() -> None:
    both = draw_patients(list("abc"), 0).beside(draw_patients(list("de"), 1))
    assert set(both.weights[:, :3].sum(axis=1)) == {3.0}
    assert set(both.weights[:, 3:].sum(axis=1)) == {2.0}


def test_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        draw_patients([], 0)
