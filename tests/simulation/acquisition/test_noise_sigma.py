"""The noise formula, against published check values and a phase-stepping scan of photons."""

import numpy as np
import pytest

from dfsynth.simulation.acquisition.noise_sigma import (
    dark_field_noise_sigma,
    transmission_from_display,
)


def sigma(
    dark_field: float,
    transmission: float,
    photons: float = 1.5e5,
    visibility: float = 0.3,
    reference_photons: float = 1e12,
) -> float:
    clean, seen = (np.full((1, 1), v, np.float32) for v in (dark_field, transmission))
    found = dark_field_noise_sigma(clean, seen, photons, visibility, reference_photons)
    assert found.dtype == np.float32
    return float(found[0, 0])


@pytest.mark.parametrize(
    ("transmission", "dark_field", "expected"), [(0.15, 0.5, 0.051), (0.01, 0.05, 0.126)]
)
def test_check_values(transmission: float, dark_field: float, expected: float) -> None:
    assert sigma(dark_field, transmission) == pytest.approx(expected, rel=0.01)


def scan(
    dark_field: float, transmission: float, photons: float, visibility: float, trials: int
) -> np.ndarray:
    """−ln(V / V_ref) of `trials` scans of six steps, V fitted by the first Fourier component."""
    rng = np.random.default_rng(8)
    phase = 2 * np.pi * np.arange(6) / 6

    def measured(level: float, contrast: float) -> np.ndarray:
        start = rng.uniform(0, 2 * np.pi, (trials, 1))
        counts = rng.poisson(level / 6 * (1 + contrast * np.cos(phase + start)))
        return 2 * np.abs(counts @ np.exp(-1j * phase)) / counts.sum(axis=1)

    sample = measured(photons * transmission, visibility * np.exp(-dark_field))
    return -np.log(sample / measured(photons, visibility))


@pytest.mark.parametrize(
    ("dark_field", "transmission", "photons", "visibility"),
    [
        (0.5, 0.15, 1.5e5, 0.3),
        (0.05, 0.05, 1.5e5, 0.3),
        (0.8, 0.4, 6e4, 0.22),
        (0.0, 1.0, 5e4, 0.4),
    ],
)
def test_the_formula_agrees_with_counted_photons(
    dark_field: float, transmission: float, photons: float, visibility: float
) -> None:
    found = scan(dark_field, transmission, photons, visibility, 40_000)
    expected = sigma(dark_field, transmission, photons, visibility, reference_photons=photons)
    # 40,000 scans know their spread to 0.35 %; propagation to first order leaves about 2 %.
    assert found.std() == pytest.approx(expected, rel=0.03)
    assert found.mean() == pytest.approx(dark_field, abs=0.05 * expected + 0.003)


def test_noise_grows_with_signal_and_density_and_falls_with_photons() -> None:
    base = sigma(0.3, 0.2)
    assert sigma(0.6, 0.2) > base
    assert sigma(0.3, 0.1) > base
    assert sigma(0.3, 0.2, visibility=0.2) > base
    assert sigma(0.3, 0.2, photons=6e5) == pytest.approx(base / 2, rel=1e-3)
    assert sigma(0.3, 0.2, reference_photons=1e3) > base


def test_each_pixel_has_its_own_noise() -> None:
    dark_field = np.array([[0.0, 0.5]], np.float32)
    transmission = np.array([[0.2, 0.2], [0.05, 0.05]], np.float32)
    found = dark_field_noise_sigma(np.tile(dark_field, (2, 1)), transmission, 1e5, 0.3, 1e6)
    assert found.shape == (2, 2)
    assert found[0, 0] < found[0, 1] < found[1, 1]


def test_the_displayed_transmission_falls_with_brightness() -> None:
    found = transmission_from_display(np.linspace(0, 1, 11, dtype=np.float32)[None])[0]
    assert found.dtype == np.float32
    assert found[0] == 1
    assert (np.diff(found) < 0).all()
    # Lung near 0.35, mediastinum near the white end.
    assert 0.1 < np.interp(0.35, np.linspace(0, 1, 11), found) < 0.25
    assert 0.003 < found[-1] < 0.02
