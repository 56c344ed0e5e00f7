"""Noise power spectra of noise whose spectrum is known."""

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.evaluate.streaks.noise_spectrum import measure_noise_spectrum

EVERYWHERE = np.ones((400, 400), bool)
PIXEL_MM = 0.5


def white(sd: float) -> np.ndarray:
    return np.random.default_rng(7).normal(0, sd, EVERYWHERE.shape)


def test_white_noise_is_flat_at_its_variance_times_the_pixel() -> None:
    found = measure_noise_spectrum(white(0.8), EVERYWHERE, PIXEL_MM)
    assert found.squares == 625
    # The mean of each square is taken off, and with it the power at frequency 0.
    assert found.power[0] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(found.power[1:], 0.64 * PIXEL_MM**2, rtol=0.08)
    assert found.variance == pytest.approx(0.64, rel=0.03)


@pytest.mark.parametrize("side", [15, 16])
def test_the_integral_is_the_variance(side) -> None:
    image = ndimage.gaussian_filter(white(3.0), 1.2) + 4
    found = measure_noise_spectrum(image, EVERYWHERE, PIXEL_MM, side)
    assert found.integral == pytest.approx(found.variance, rel=1e-12)
    assert found.ring_area.sum() == pytest.approx(1 / PIXEL_MM**2)


def test_blurred_noise_has_the_spectrum_of_its_filter() -> None:
    image = ndimage.gaussian_filter(white(1.0), 1.0)
    found = measure_noise_spectrum(image, EVERYWHERE, PIXEL_MM, 40)
    expected = PIXEL_MM**2 * np.exp(-4 * (np.pi * found.frequencies_per_mm * PIXEL_MM) ** 2)
    middle = (found.frequencies_per_mm > 0.2) & (found.frequencies_per_mm < 0.55)
    np.testing.assert_allclose(found.power[middle], expected[middle], rtol=0.15)
    coarse = found.mean_frequency_per_mm
    assert (
        coarse
        < 0.6 * measure_noise_spectrum(white(1.0), EVERYWHERE, PIXEL_MM, 40).mean_frequency_per_mm
    )


def test_only_squares_inside_the_region_count() -> None:
    region = EVERYWHERE.copy()
    region[:, 30:] = False
    region[32, 3] = False
    spoiled = np.where(region, white(1.0), np.nan)
    found = measure_noise_spectrum(spoiled, region, PIXEL_MM)
    assert found.squares == 24
    assert np.isfinite(found.power).all()
    none = measure_noise_spectrum(spoiled, ~EVERYWHERE, PIXEL_MM)
    assert none.squares == 0
    assert np.isnan([none.variance, none.integral, none.mean_frequency_per_mm]).all()
