"""Errors against a known truth."""

from dataclasses import astuple

import numpy as np
import pytest

from dfsynth.evaluate.streaks.truth_errors import errors_against_truth


def test_a_scaled_and_shifted_lung_is_told_from_the_rest(analytic) -> None:
    truth = np.where(analytic.lung_mask, np.float32(2.0), np.float32(0.0))
    image = np.where(analytic.lung_mask, np.float32(1.9), np.float32(0.3))
    everywhere = np.ones(truth.shape, bool)
    found = errors_against_truth(image, truth, analytic.lung_mask, everywhere)
    share = analytic.lung_mask.mean()
    assert found.lung_bias_per_m == pytest.approx(-0.1)
    assert found.lung_truth_per_m == 2.0
    assert found.lung_relative_bias == pytest.approx(-0.05)
    assert found.rim_relative_bias == pytest.approx(-0.05)
    assert found.core_relative_bias == pytest.approx(-0.05)
    assert (found.lung_mae_per_m, found.lung_rmse_per_m) == pytest.approx((0.1, 0.1))
    assert found.mae_per_m == pytest.approx(0.1 * share + 0.3 * (1 - share))
    assert found.rmse_per_m**2 == pytest.approx(0.01 * share + 0.09 * (1 - share))


def test_noise_is_error_and_no_bias(analytic) -> None:
    noise = np.random.default_rng(0).normal(0, 0.5, analytic.truth.shape)
    everywhere = np.ones(noise.shape, bool)
    found = errors_against_truth(
        analytic.truth + noise, analytic.truth, analytic.lung_mask, everywhere
    )
    assert found.rmse_per_m == pytest.approx(0.5, rel=0.02)
    assert found.mae_per_m == pytest.approx(0.5 * (2 / np.pi) ** 0.5, rel=0.02)
    assert abs(found.lung_relative_bias) < 0.01


def test_the_rim_is_three_pixels_wide() -> None:
    lung = np.zeros((40, 40), np.uint8)
    lung[10:30, 10:30] = 1
    truth = lung.astype(np.float32)
    image = truth.copy()
    image[13:27, 13:27] = 2
    found = errors_against_truth(image, truth, lung, np.ones(lung.shape, bool))
    assert (found.rim_relative_bias, found.core_relative_bias) == (0.0, 1.0)


def test_without_lung_only_the_whole_is_known(analytic) -> None:
    truth = analytic.truth
    found = errors_against_truth(truth, truth, np.zeros_like(truth), np.ones(truth.shape, bool))
    assert (found.mae_per_m, found.rmse_per_m) == (0, 0)
    assert np.isnan(astuple(found)[2:]).all()
