"""The slope of a power spectrum inside a region."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.simulation.validation.spectrum import spectral_slope


def power_law(exponent: float, seed: int, side: int = 256) -> NDArray[np.float64]:
    """A field whose power falls as frequency to the `exponent`."""
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :])
    frequency[0, 0] = np.inf
    return np.fft.ifft2(noise * frequency ** (exponent / 2)).real


@pytest.mark.parametrize("exponent", [0.0, -2.0, -3.0, -4.0])
def test_the_exponent_of_a_power_law_comes_back(exponent: float) -> None:
    region = np.zeros((256, 256), bool)
    region[40:110, 60:130] = True
    found = [spectral_slope(power_law(exponent, seed), region) for seed in range(60)]
    assert np.mean(found) == pytest.approx(exponent, abs=0.25)


def test_neither_scale_nor_offset_nor_what_lies_outside_matters() -> None:
    signal = power_law(-2.0, 1)
    region = np.zeros((256, 256), bool)
    region[40:80, 60:110] = True
    found = spectral_slope(signal, region)
    assert spectral_slope(3 * signal + 7, region) == pytest.approx(found)
    assert spectral_slope(np.where(region, signal, np.nan), region) == found


@pytest.mark.parametrize(("side", "known"), [(16, False), (17, True)])
def test_a_region_without_room_for_the_frequencies_has_no_slope(side: int, known: bool) -> None:
    region = np.zeros((256, 256), bool)
    region[3 : 3 + side, 5 : 5 + side] = True
    assert bool(np.isfinite(spectral_slope(power_law(-2.0, 2), region))) is known


def test_a_constant_signal_has_no_slope() -> None:
    assert np.isnan(spectral_slope(np.ones((40, 40)), np.ones((40, 40), bool)))
