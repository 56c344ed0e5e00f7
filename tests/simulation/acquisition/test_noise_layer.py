"""A noisy scan: its spread is the formula's, and few photons are counted."""

import numpy as np
import pytest

from dfsynth.simulation.acquisition.noise import (
    NoiseParameters,
    draw_noise,
    measure_dark_field,
    measure_transmission,
    photons_a_pixel,
)
from dfsynth.simulation.acquisition.noise_sigma import dark_field_noise_sigma

PIXEL_MM = 0.36


def measured(
    dark_field: float, transmission: float, parameters: NoiseParameters, side: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    clean, seen = (np.full((side, side), v, np.float32) for v in (dark_field, transmission))
    return measure_dark_field(clean, seen, PIXEL_MM, parameters, np.random.default_rng(2))


def formula(dark_field: float, transmission: float, parameters: NoiseParameters) -> float:
    clean, seen = (np.full((1, 1), v, np.float32) for v in (dark_field, transmission))
    found = dark_field_noise_sigma(
        clean, seen, parameters.photons, parameters.visibility, parameters.reference_photons
    )
    return float(found[0, 0])


@pytest.mark.parametrize(
    ("transmission", "dark_field", "expected"), [(0.15, 0.5, 0.051), (0.01, 0.05, 0.126)]
)
def test_published_check_values(transmission: float, dark_field: float, expected: float) -> None:
    found, _ = measured(dark_field, transmission, NoiseParameters(1.5e5, 0.3, 1e12))
    assert found.std() == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("photons", [3e4, 1.5e5, 1e6])
@pytest.mark.parametrize("transmission", [0.04, 0.3, 1.0])
def test_where_photons_suffice_the_spread_is_the_formulas(
    photons: float, transmission: float
) -> None:
    parameters = NoiseParameters(photons, 0.3, 10 * photons)
    found, seen = measured(0.4, transmission, parameters)
    assert found.std() == pytest.approx(formula(0.4, transmission, parameters), rel=0.03)
    assert found.mean() == pytest.approx(0.4, abs=0.005)
    assert seen.std() == pytest.approx(np.sqrt(transmission / photons), rel=0.03)


def test_counting_goes_over_into_the_formula() -> None:
    """Just below a thousand photons the counted scan still has the formula's spread."""
    parameters = NoiseParameters(1e5, 0.4, 1e9)
    found, _ = measured(0.0, 0.00999, parameters)
    assert found.std() == pytest.approx(formula(0.0, 0.00999, parameters), rel=0.025)


def test_with_few_photons_the_visibility_is_too_large_and_everything_is_finite() -> None:
    parameters = NoiseParameters(1e5, 0.25, 1e9)
    found, seen = measured(0.5, 3e-4, parameters)
    assert np.isfinite(found).all()
    assert found.mean() < 0.3
    assert seen.mean() == pytest.approx(3e-4, rel=0.02)


def test_no_photons_at_all_give_finite_values() -> None:
    found, seen = measured(0.5, 1e-9, NoiseParameters(1e4, 0.25, 1e9))
    assert np.isfinite(found).all()
    assert np.isfinite(seen).all()


def test_a_pixel_four_times_as_wide_counts_sixteen_times_the_photons() -> None:
    assert photons_a_pixel(100, 1.44, 0.36) == pytest.approx(1600)
    assert photons_a_pixel(100, 0.1, 0.36) == 100
    parameters = NoiseParameters(1.5e5, 0.3, 1e12)
    fine, coarse = (
        measure_dark_field(
            np.full((200, 200), 0.3, np.float32),
            np.full((200, 200), 0.2, np.float32),
            pixel_mm,
            parameters,
            np.random.default_rng(2),
        )[0].std()
        for pixel_mm in (0.36, 1.44)
    )
    assert fine / coarse == pytest.approx(4, rel=0.03)


def test_counted_transmission_is_never_negative() -> None:
    faint = np.full((50, 50), 1e-5, np.float32)
    found = measure_transmission(faint, 1e5, np.random.default_rng(0))
    assert found.min() == 0
    assert found.mean() == pytest.approx(1e-5, rel=0.1)


def test_draws_stay_in_range() -> None:
    drawn = [draw_noise(np.random.default_rng(seed)) for seed in range(50)]
    assert all(3e4 <= one.photons <= 1e6 and 0.2 <= one.visibility <= 0.4 for one in drawn)
