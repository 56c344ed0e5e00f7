"""The apparent dark-field of attenuation alone."""

import numpy as np
import pytest

from dfsynth.simulation.acquisition.hardening import (
    HardeningParameters,
    apparent_dark_field,
    draw_hardening,
    residual_dark_field,
)
from dfsynth.simulation.acquisition.spectrum import XrayTube, attenuation_per_mm, detected_spectrum

TUBE = XrayTube(70)


def maps(water: float, bone: float) -> tuple[np.ndarray, np.ndarray]:
    return np.full((1, 1), water, np.float32), np.full((1, 1), bone, np.float32)


def test_it_is_the_ratio_of_weighted_sums() -> None:
    parameters = HardeningParameters(44, 12, 1, 1)
    spectrum = detected_spectrum(TUBE)
    visibility = np.exp(-((spectrum.energy_kev - 44) ** 2) / (2 * 12**2))
    passed = spectrum.weight * np.exp(
        -180 * attenuation_per_mm("water") - 12 * attenuation_per_mm("bone")
    )
    behind = (passed @ visibility) / passed.sum()
    expected = -np.log(behind / (spectrum.weight @ visibility))
    found = apparent_dark_field(*maps(180, 12), TUBE, parameters)
    assert found[0, 0] == pytest.approx(expected, abs=0.002)


def test_the_open_beam_shows_none() -> None:
    assert abs(apparent_dark_field(*maps(0, 0), TUBE, HardeningParameters(44, 12, 1, 1))) < 1e-5


def test_the_sign_follows_from_the_design_energy() -> None:
    low = apparent_dark_field(*maps(150, 0), TUBE, HardeningParameters(40, 10, 1, 1))
    high = apparent_dark_field(*maps(150, 0), TUBE, HardeningParameters(47, 10, 1, 1))
    assert low > 0.05
    assert high < -0.05


def test_a_calibration_with_slabs_leaves_bone_and_takes_water_away() -> None:
    parameters = HardeningParameters(42, 11, bone_residual=0.5, soft_residual=0.0)
    assert abs(residual_dark_field(*maps(200, 0), TUBE, parameters)) < 1e-3
    assert residual_dark_field(*maps(200, 15), TUBE, parameters) > 0.02


def test_draws_stay_in_range() -> None:
    for seed in range(50):
        drawn = draw_hardening(np.random.default_rng(seed))
        assert 40 <= drawn.centre_kev <= 47
        assert 10 <= drawn.sigma_kev <= 15
        assert 0 <= drawn.bone_residual <= 0.5
        assert 0 <= drawn.soft_residual <= 0.1
