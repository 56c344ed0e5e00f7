"""Intervals over patients."""

import numpy as np
import pytest

from dfsynth.statistics import Interval, bootstrap_percentiles, resample_patients


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def width(interval: Interval) -> float:
    low, high = ends(interval)
    return high - low


def test_the_value_is_that_of_the_sample_and_nan_stays_out() -> None:
    values = np.array([1.0, 2.0, np.nan, 6.0])
    found = resample_patients(list("abcd"), seed=1).mean(values)
    assert found.value == pytest.approx(3.0)
    low, high = ends(found)
    assert 1 <= low < 3 < high <= 6


def test_images_of_a_patient_are_not_independent() -> None:
    """Forty copies of ten patients leave the interval as wide as ten patients do."""
    values = np.random.default_rng(3).standard_normal(10)
    alone = resample_patients([str(n) for n in range(10)], seed=2).mean(values)
    copies = resample_patients([str(n % 10) for n in range(400)], seed=2).mean(np.tile(values, 40))
    images = resample_patients([str(n) for n in range(400)], seed=2).mean(np.tile(values, 40))
    assert width(copies) == pytest.approx(width(alone), rel=1e-9)
    assert width(images) < width(alone) / 3


def test_the_interval_of_a_mean_is_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(5).standard_normal(400)
    found = resample_patients([str(n) for n in range(400)], seed=6).mean(values)
    assert width(found) == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_the_seed_decides() -> None:
    values = np.arange(12.0)
    patients = [str(n) for n in range(12)]
    assert resample_patients(patients, 1).mean(values) == resample_patients(patients, 1).mean(
        values
    )
    assert resample_patients(patients, 1).mean(values) != resample_patients(patients, 2).mean(
        values
    )


def test_one_patient_says_nothing_of_others() -> None:
    found = resample_patients(["a"] * 5, 1)
    assert found.mean(np.arange(5.0)) == Interval(2.0, None, None)
    assert str(found.mean(np.arange(5.0))) == "2.000"
    both = found.beside(resample_patients(list("xyz"), 2))
    assert both.mean(np.arange(8.0)) == Interval(3.5, None, None)


def test_nothing_known_gives_no_interval() -> None:
    found = resample_patients(["a", "b"], 0).mean(np.full(2, np.nan))
    assert found == Interval(None, None, None)


def test_two_samples_are_drawn_each_within_itself() -> None:
    both = resample_patients(list("abc"), 0).beside(resample_patients(list("de"), 1))
    assert set(both.weights[:, :3].sum(axis=1)) == {3.0}
    assert set(both.weights[:, 3:].sum(axis=1)) == {2.0}


def test_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        resample_patients([], 0)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(40):
        found = resample_patients([str(i) for i in range(60)], seed).mean(rng.normal(0.3, 0.1, 60))
        low, high = ends(found)
        covered += low <= 0.3 <= high
    assert 34 <= covered <= 40


def test_crossed_draws_hold_a_cell_as_often_as_both_its_factors() -> None:
    images, seeds = resample_patients(list("abc"), 0), resample_patients(list("xy"), 1)
    crossed = images.crossed(seeds).weights.reshape(-1, 3, 2)
    np.testing.assert_array_equal(crossed.sum(axis=2), 2 * images.weights)
    np.testing.assert_array_equal(crossed.sum(axis=1), 3 * seeds.weights)


def test_a_factor_without_draws_stays_as_it_is() -> None:
    images = resample_patients(list("abc"), 0)
    assert images.crossed(resample_patients(["x"], 1)).weights.tolist() == images.weights.tolist()


def test_a_statistic_of_whole_items_has_the_interval_of_their_weights() -> None:
    values = np.random.default_rng(5).standard_normal(200)
    low, high = bootstrap_percentiles(values.tolist(), lambda v: float(np.mean(v)), 1)
    found = resample_patients([str(n) for n in range(200)], 1).mean(values)
    assert (low, high) == pytest.approx((found.low, found.high), abs=0.03)
    with pytest.raises(ValueError, match="at least one item"):
        bootstrap_percentiles([], len, 0)


def test_intervals_are_written_with_as_many_digits_as_asked_for() -> None:
    assert str(Interval(0.5, 0.25, 1.0)) == "0.500 (0.250 to 1.000)"
    assert f"{Interval(0.5, 0.25, 1.0):+.1f}" == "+0.5 (+0.2 to +1.0)"
    assert f"{Interval(None, None, None):.1f}" == "undefined"
