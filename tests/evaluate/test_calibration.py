"""Factors and errors of calibration, on errors whose law is known."""

import numpy as np
import pytest
from scipy.stats import norm

from dfsynth.evaluate.calibration import (
    LEVELS,
    CalibrationPixels,
    bin_edges,
    bin_sums,
    coverage_gap,
    covered,
    expected_normalised_error,
    interval_factors,
)

RNG = np.random.default_rng(2)
SIGMA = RNG.uniform(0.1, 2.0, 60_000)
ERROR = SIGMA * RNG.standard_normal(SIGMA.size)


def factors_of(error: np.ndarray, sigma: np.ndarray) -> dict[str, float]:
    """Of one stage, from one patient."""
    return interval_factors([CalibrationPixels("one", error[None], sigma[None])])[0]


def test_the_factors_of_a_gaussian_are_its_quantiles() -> None:
    for level, factor in factors_of(ERROR, SIGMA).items():
        assert factor == pytest.approx(norm.ppf(0.5 + float(level) / 2), rel=0.02)


@pytest.mark.parametrize("pixels", [1, 3, 6, 10, 49])
def test_factors_are_those_of_whole_patients(pixels: int) -> None:
    """19 of 20 patients are 95 %, however their pixels' weights add up in floating point."""
    images = [
        CalibrationPixels(f"p{n:02}", np.full((1, pixels), n), np.ones((1, pixels)))
        for n in range(1, 21)
    ]
    assert interval_factors(images) == ({"0.5": 10, "0.8": 16, "0.9": 18, "0.95": 19},)


def test_calibrated_intervals_hold_what_they_promise_where_sigma_is_wrong() -> None:
    """An overconfident sigma of half the spread: the factors double, the coverage is right."""
    factors = factors_of(ERROR[::2], SIGMA[::2] / 2)
    inside = covered(ERROR[1::2], SIGMA[1::2] / 2, np.full(SIGMA[1::2].shape, 2.0), factors)
    np.testing.assert_allclose(inside.mean(axis=1), LEVELS, atol=0.01)
    plain = covered(ERROR, SIGMA / 2, np.full(SIGMA.shape, 2.0), None)
    assert plain[LEVELS.index(0.9)].mean() < 0.65


def test_without_factors_the_density_decides() -> None:
    inside = covered(ERROR, SIGMA, np.full(SIGMA.shape, 2.0), None)
    np.testing.assert_allclose(inside.mean(axis=1), LEVELS, atol=0.01)


def test_one_width_holds_what_it_promises_over_the_image_and_in_no_part_of_it() -> None:
    """Errors grow with the value: one width holds 90 % of all pixels, few of the strong ones."""
    gaussian = np.full(SIGMA.shape, 2.0)
    honest = covered(ERROR, SIGMA, gaussian, None)
    one_width = covered(
        ERROR, np.ones_like(SIGMA), gaussian, factors_of(ERROR, np.ones_like(SIGMA))
    )
    row = LEVELS.index(0.9)
    assert one_width[row].mean() == pytest.approx(honest[row].mean(), abs=0.01)
    assert coverage_gap(honest, SIGMA) < 0.01
    fifths = [part.mean() for part in np.array_split(one_width[row][np.argsort(SIGMA)], 5)]
    assert coverage_gap(one_width, SIGMA) == pytest.approx(np.abs(np.array(fifths) - 0.9).mean())
    assert coverage_gap(one_width, SIGMA) > 0.08


def test_the_gap_needs_a_pixel_a_fifth_and_no_order() -> None:
    inside = np.array([[True] * 3 + [False] * 2] * len(LEVELS))
    assert np.isnan(coverage_gap(inside[:, :4], np.arange(4.0)))
    assert coverage_gap(inside, np.arange(5.0)) == pytest.approx((3 * 0.1 + 2 * 0.9) / 5)
    turned = coverage_gap(inside[:, ::-1], np.arange(5.0)[::-1])
    assert turned == pytest.approx(coverage_gap(inside, np.arange(5.0)))


def sums_of(error: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    edges = bin_edges([sigma])
    parts = [bin_sums(v, sigma, edges) for v in (np.ones_like(sigma), sigma**2, error**2)]
    return np.concatenate(parts)[None]


def test_the_calibration_error_is_the_share_that_sigma_is_off() -> None:
    assert expected_normalised_error(sums_of(ERROR, SIGMA))[0] < 0.03
    assert expected_normalised_error(sums_of(1.3 * ERROR, SIGMA))[0] == pytest.approx(0.3, abs=0.03)


def test_equal_sigmas_fill_one_bin_and_empty_ones_do_not_count() -> None:
    found = expected_normalised_error(sums_of(2 * np.ones(100), np.ones(100)))
    assert found[0] == pytest.approx(1.0)


def test_nothing_to_calibrate_with_is_refused() -> None:
    with pytest.raises(ValueError, match="found none"):
        factors_of(np.empty(0), np.empty(0))


def test_a_patient_with_large_lungs_weighs_as_much_as_one_with_small_ones() -> None:
    """Nine tenths of the pixels err by 1 sigma, and two thirds of the patients by 3."""
    large = CalibrationPixels("large", np.full((1, 900), 1.0), np.ones((1, 900)))
    small = [CalibrationPixels(p, np.full((1, 50), 3.0), np.ones((1, 50))) for p in "ab"]
    assert set(interval_factors([large, *small])[0].values()) == {3.0}
    assert set(interval_factors([large])[0].values()) == {1.0}
