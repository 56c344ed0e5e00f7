"""Power spectra and the distance between them."""

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.evaluate.restoration import log_spectral_distance, radial_power
from dfsynth.evaluate.restoration.power_spectrum import RING_CENTRES, RINGS


def test_white_noise_has_its_variance_in_every_ring() -> None:
    rng = np.random.default_rng(0)
    powers = [radial_power(0.3 * rng.standard_normal((96, 80))) for _ in range(20)]
    assert np.mean(powers, axis=0) == pytest.approx(np.full(RINGS, 0.09), rel=0.25)


def test_a_wave_is_in_its_ring() -> None:
    wave = np.sin(2 * np.pi * 25 / 128 * np.arange(128))[None].repeat(128, axis=0)
    assert RING_CENTRES[np.argmax(radial_power(wave))] == pytest.approx(25 / 128)


def test_neither_offset_nor_a_ramp_reaches_high_frequencies() -> None:
    ramp = np.linspace(0, 1, 64)[None].repeat(64, axis=0)
    assert radial_power(ramp + 100)[RINGS // 2 :].max() < 1e-7


def test_blur_shows_as_distance_and_more_blur_as_more() -> None:
    rng = np.random.default_rng(1)
    sharp = rng.standard_normal((64, 64))
    truth, *blurred = (
        radial_power(ndimage.gaussian_filter(sharp, sigma)) for sigma in (0, 0.7, 1.5)
    )
    near, far = (log_spectral_distance(power, truth) for power in blurred)
    assert log_spectral_distance(truth, truth) == 0
    assert 3 < near < far
    assert log_spectral_distance(10 * truth, truth) == pytest.approx(10)


def test_small_images_have_what_they_have() -> None:
    rng = np.random.default_rng(2)
    power = radial_power(rng.standard_normal((16, 16)))
    assert np.isnan(power).any()
    assert log_spectral_distance(power, power) == 0
    assert np.isnan(log_spectral_distance(np.full(4, np.nan), np.ones(4)))
