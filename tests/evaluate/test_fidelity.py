"""Fidelity against scikit-image and scipy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import pearsonr
from skimage.metrics import (
    mean_squared_error,
    peak_signal_noise_ratio,
    structural_similarity,
)

from dfsynth.evaluate.fidelity import measure_fidelity, similarity_map

RANGE = 0.6


@pytest.fixture
def images() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A target, partly outside its window, and a prediction of it."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:48, :40] / 40
    target = (0.4 * np.sin(5 * x) * y + 0.3 + 0.1 * rng.standard_normal(x.shape)).astype(np.float32)
    return (target + 0.05 * rng.standard_normal(x.shape)).astype(np.float32), target


def measure(prediction, target, region) -> dict[str, float]:
    similarity = similarity_map(prediction, target, RANGE)
    return dict(measure_fidelity(prediction, target, similarity, region, RANGE))


def skimage_similarity(prediction, target):
    return structural_similarity(
        target,
        prediction,
        data_range=RANGE,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )


def test_the_whole_image_is_measured_as_scikit_image_does(images) -> None:
    prediction, target = images
    found = measure(prediction, target, np.ones(target.shape, np.bool_))
    assert found["mse"] == pytest.approx(mean_squared_error(target, prediction), rel=1e-6)
    expected = peak_signal_noise_ratio(target, prediction, data_range=RANGE)
    assert found["psnr"] == pytest.approx(expected, rel=1e-6)
    assert found["ssim"] == pytest.approx(skimage_similarity(prediction, target)[0], abs=1e-5)
    correlation = pearsonr(prediction.ravel(), target.ravel()).statistic
    assert found["pearson"] == pytest.approx(correlation, rel=1e-5)
    assert found["mae"] == pytest.approx(np.abs(prediction - target).mean(), rel=1e-6)


def test_an_image_compared_with_itself_scores_1_inside_autocast(images) -> None:
    prediction, target = images
    with torch.autocast("cpu", torch.bfloat16):
        alike = similarity_map(target, target, RANGE)
        other = similarity_map(prediction, target, RANGE)
    np.testing.assert_allclose(alike, 1, atol=1e-5)
    np.testing.assert_array_equal(other, similarity_map(prediction, target, RANGE))


def test_a_part_counts_its_own_pixels_alone(images) -> None:
    prediction, target = images
    lung = np.zeros(target.shape, np.bool_)
    lung[15:30, 12:25] = True
    found = measure(prediction, target, lung)
    assert found["mse"] == pytest.approx(np.square(prediction - target)[lung].mean(), rel=1e-5)
    similarity = skimage_similarity(prediction, target)[1]
    assert found["ssim"] == pytest.approx(similarity[lung].mean(), abs=1e-5)
    assert found["psnr"] == pytest.approx(10 * np.log10(RANGE**2 / found["mse"]), rel=1e-6)
    far = prediction.copy()
    far[:5] += 1
    assert measure(far, target, lung)["mse"] == found["mse"]


def test_what_is_not_defined_is_not_a_number(images) -> None:
    prediction, target = images
    nowhere = measure(prediction, target, np.zeros(target.shape, np.bool_))
    assert all(np.isnan(value) for value in nowhere.values())
    flat = np.full_like(target, 0.2)
    assert np.isnan(measure(flat, target, np.ones(target.shape, np.bool_))["pearson"])
    small = np.ones((8, 40), np.bool_)
    assert np.isnan(measure(prediction[:8], target[:8], small)["ssim"])
