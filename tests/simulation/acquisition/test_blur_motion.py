"""What blurs and displaces keeps what there is."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulation.acquisition.blur import (
    BlurParameters,
    blur_signals,
    draw_blur,
    spread_light,
)
from dfsynth.simulation.acquisition.motion import draw_motion, move


def spot(side: int = 41) -> np.ndarray:
    image = np.zeros((side, side), np.float32)
    image[side // 2, side // 2] = 1
    return image


@pytest.mark.parametrize("sigma_mm", [0.3, 1.0, 2.0])
def test_blur_has_its_width_and_keeps_the_light(sigma_mm: float) -> None:
    found = spread_light(spot(), 0.5, BlurParameters(sigma_mm))
    assert found.sum() == pytest.approx(1, rel=1e-3)
    place = (np.arange(41) - 20) * 0.5
    assert np.sqrt((found.sum(axis=0) * place**2).sum()) == pytest.approx(sigma_mm, rel=0.05)


def test_a_blur_finer_than_a_pixel_changes_nothing() -> None:
    dark_field, transmission = spot(), spot() + np.float32(0.1)
    found = blur_signals(dark_field, transmission, 2.0, BlurParameters(0.2))
    assert found[0] is dark_field
    assert found[1] is transmission


def test_the_brighter_side_of_an_edge_wins() -> None:
    """Fringes add as light does: beside an open field the dark body's D is hardly seen."""
    transmission = np.where(np.arange(40) < 20, 1.0, 0.01).astype(np.float32)[None].repeat(9, 0)
    dark_field = np.where(np.arange(40) < 20, 0.0, 1.0).astype(np.float32)[None].repeat(9, 0)
    found, _ = blur_signals(dark_field, transmission, 0.36, BlurParameters(0.36))
    assert found[4, 20] < 0.2
    assert found[4, 30] == pytest.approx(1, abs=1e-3)


def test_behind_metal_that_stops_everything_the_signals_stay_finite() -> None:
    nothing = np.zeros((9, 9), np.float32)
    for found in blur_signals(nothing, nothing, 0.36, BlurParameters(0.36)):
        assert np.isfinite(found).all()


def test_a_row_is_displaced_as_a_whole() -> None:
    parameters = replace(
        draw_motion(np.random.default_rng(0)), breath_y_mm=0.0, heart_y_mm=0.0, blur_mm=0.0
    )
    line = np.zeros((50, 64), np.float32)
    line[:, 32] = 1
    (moved,) = move((line,), 0.2, parameters)
    centre = (moved * np.arange(64)).sum(axis=1) / moved.sum(axis=1)
    limit = (parameters.breath_x_mm + parameters.heart_x_mm) / 0.2
    assert 0.05 < np.ptp(centre) <= 2 * limit
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-4)


def test_all_maps_move_alike() -> None:
    rng = np.random.default_rng(3)
    one = rng.uniform(0, 1, (40, 40)).astype(np.float32)
    first, second = move((one, 2 * one), 0.4, draw_motion(rng))
    np.testing.assert_allclose(second, 2 * first, rtol=1e-4)


def test_a_patient_who_holds_still_is_not_moved() -> None:
    still = replace(
        draw_motion(np.random.default_rng(0)),
        breath_x_mm=0.0,
        breath_y_mm=0.0,
        heart_x_mm=0.0,
        heart_y_mm=0.0,
        blur_mm=0.0,
    )
    image = np.random.default_rng(3).uniform(0, 1, (30, 30)).astype(np.float32)
    np.testing.assert_allclose(move((image,), 0.4, still)[0], image, atol=1e-6)


def test_draws_stay_in_range() -> None:
    for seed in range(50):
        assert 0.18 <= draw_blur(np.random.default_rng(seed)).sigma_mm <= 0.36
        assert draw_motion(np.random.default_rng(seed)).blur_mm <= 0.8
