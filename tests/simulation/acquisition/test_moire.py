"""Fringes of a fit that takes wrong steps for right ones, against that very fit."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulation.acquisition.moire import add_fringes, draw_moire, fringe_phase

SHAPE = (60, 80)


def test_it_is_what_a_least_squares_fit_of_the_steps_finds() -> None:
    parameters = draw_moire(0.3, np.random.default_rng(4))
    dark_field = np.linspace(0, 0.8, 80, dtype=np.float32)[None].repeat(60, axis=0)
    transmission = np.full(SHAPE, 0.2, np.float32)
    phase = fringe_phase(SHAPE, 1.5, parameters)
    ideal = 2 * np.pi * np.arange(6) / 6
    steps = ideal + np.asarray(parameters.phase_errors_rad)
    flux = 1 + np.asarray(parameters.flux_errors)
    contrast = 0.3 * np.exp(-dark_field)[..., None]
    curve = 0.2 * flux * (1 + contrast * np.cos(phase[..., None] + steps))
    model = np.stack([np.ones(6), np.cos(ideal), np.sin(ideal)], axis=1)
    mean, cosine, sine = np.linalg.lstsq(model, curve.reshape(-1, 6).T, rcond=None)[0]
    expected = -np.log(np.hypot(cosine, sine) / mean / 0.3).reshape(SHAPE)
    found, light = add_fringes(dark_field, transmission, 1.5, parameters)
    np.testing.assert_allclose(found, expected, atol=2e-4)
    np.testing.assert_allclose(light, mean.reshape(SHAPE), rtol=1e-4)


def test_exact_steps_leave_no_fringes() -> None:
    parameters = replace(
        draw_moire(0.3, np.random.default_rng(4)),
        phase_errors_rad=(0.0,) * 6,
        flux_errors=(0.0,) * 6,
    )
    dark_field, transmission = np.full(SHAPE, 0.4, np.float32), np.full(SHAPE, 0.2, np.float32)
    found, light = add_fringes(dark_field, transmission, 1.0, parameters)
    np.testing.assert_allclose(found, dark_field, atol=1e-5)
    np.testing.assert_allclose(light, transmission, rtol=1e-5)


def test_larger_errors_make_stronger_fringes() -> None:
    parameters = draw_moire(0.3, np.random.default_rng(4))
    maps = np.zeros(SHAPE, np.float32), np.full(SHAPE, 0.2, np.float32)
    once = add_fringes(*maps, 1.0, parameters)[0].std()
    thrice = tuple(3 * error for error in parameters.phase_errors_rad)
    more = add_fringes(*maps, 1.0, replace(parameters, phase_errors_rad=thrice))[0].std()
    assert more > 1.5 * once


@pytest.mark.parametrize("seed", range(20))
def test_fringes_are_a_fault_and_not_the_image(seed: int) -> None:
    parameters = draw_moire(0.3, np.random.default_rng(seed))
    maps = np.full(SHAPE, 0.3, np.float32), np.full(SHAPE, 0.2, np.float32)
    found, _ = add_fringes(*maps, 1.0, parameters)
    assert 0 < np.abs(found - 0.3).max() < 0.5
