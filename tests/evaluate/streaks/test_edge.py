"""Width of an edge of known blur."""

import numpy as np
import pytest
from scipy.special import erf

from dfsynth.evaluate.streaks.edge import edge_profile, peak_width
from dfsynth.evaluate.streaks.error_function import FWHM_PER_SIGMA, fit_blurred_step
from dfsynth.evaluate.streaks.regions import RegionPair, Square

# Off the axes: the profile runs along (-40, -70) from air to lung.
LUNG, AIR = Square(30, 20, 30), Square(70, 90, 30)
PAIR = RegionPair(LUNG, AIR)


def straight_edge(sigma: float) -> np.ndarray:
    """An edge across the line between both regions, 0.3 px past its middle; 2 against 0.5."""
    y, x = np.mgrid[:130, :130]
    along = np.subtract(LUNG.centre, AIR.centre)
    along /= np.hypot(*along)
    middle = np.mean([LUNG.centre, AIR.centre], axis=0)
    distance = (y - middle[0]) * along[0] + (x - middle[1]) * along[1] - 0.3
    return 0.5 + 1.5 * (1 + erf(distance / (np.sqrt(2) * sigma))) / 2


@pytest.mark.parametrize("sigma", [1.5, 4.0, 9.0])
def test_the_width_of_an_error_function_comes_back(sigma) -> None:
    found = edge_profile(straight_edge(sigma), PAIR)
    assert found.fit is not None
    assert found.fwhm_px == pytest.approx(FWHM_PER_SIGMA * sigma, rel=0.01)
    assert found.raw_fwhm_px == pytest.approx(FWHM_PER_SIGMA * sigma, rel=0.03)
    assert found.fit.centre_px == pytest.approx(np.hypot(40, 70) / 2 + 0.3, abs=0.02)
    assert (found.fit.low, found.fit.high) == pytest.approx((0.5, 2.0), abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_the_fit_holds_in_noise_and_the_bare_derivative_does_not(seed) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.7, (130, 130))
    found = edge_profile(straight_edge(5.0) + noise, PAIR)
    assert found.fwhm_px == pytest.approx(FWHM_PER_SIGMA * 5.0, rel=0.3)
    assert not found.raw_fwhm_px > 6


def test_what_is_no_rising_edge_has_no_width() -> None:
    assert np.isnan(edge_profile(np.ones((130, 130)), PAIR).fwhm_px)
    assert np.isnan(edge_profile(np.ones((130, 130)), PAIR).raw_fwhm_px)
    assert np.isnan(edge_profile(-straight_edge(4.0), PAIR).fwhm_px)
    ramp = np.arange(40.0)
    assert fit_blurred_step(ramp, ramp) is None
    assert fit_blurred_step(ramp[:7], (ramp[:7] > 3).astype(float)) is None


def test_a_peak_is_measured_between_samples() -> None:
    # A triangle of half width 4: full width at half maximum 4.
    triangle = np.maximum(4 - np.abs(np.arange(15) - 7.0), 0)
    assert peak_width(triangle) == 4.0
    assert peak_width(np.array([0.0, 1, 4, 3, 0])) == pytest.approx(10 / 3 - 4 / 3)
    assert np.isnan(peak_width(np.arange(5.0)))
    assert np.isnan(peak_width(-triangle - 1))
