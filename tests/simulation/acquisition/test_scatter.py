"""Scattered light: how much, where from, how wide."""

import numpy as np
import pytest

from dfsynth.simulation.acquisition.scatter import (
    ScatterParameters,
    draw_field_scatter,
    draw_slot_scatter,
    scatter_light,
)


def body(side: int = 128) -> np.ndarray:
    """A disc of T 0.05 in open air."""
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    return np.where(np.hypot(x, y) < side / 3, 0.05, 1.0).astype(np.float32)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 4.0])
def test_the_ratio_behind_the_body_is_the_one_asked_for(ratio: float) -> None:
    primary = body()
    light = scatter_light(primary, 3.0, ScatterParameters(40, ratio, 0))
    behind = primary < 0.5
    assert np.median(light[behind] / primary[behind]) == pytest.approx(ratio, rel=1e-4)


def test_air_scatters_nothing() -> None:
    assert not scatter_light(np.ones((32, 32), np.float32), 3, ScatterParameters(40, 1, 0)).any()


def test_it_hardly_depends_on_the_size_of_pixels() -> None:
    parameters = ScatterParameters(35, 0.8, 0)
    fine = scatter_light(body(256), 1.5, parameters)
    coarse = scatter_light(body(64), 6.0, parameters)
    binned = fine.reshape(64, 4, 64, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(coarse, binned, atol=0.05 * binned.max())


def test_it_is_smooth() -> None:
    light = scatter_light(body(), 3.0, ScatterParameters(40, 1, 0))
    assert np.abs(np.diff(light, axis=1)).max() < 0.08 * light.max()


def test_draws_stay_in_range() -> None:
    for seed in range(50):
        slot = draw_slot_scatter(np.random.default_rng(seed))
        field = draw_field_scatter(np.random.default_rng(seed))
        assert 20 <= slot.sigma_mm <= 60
        assert 0.1 <= slot.scatter_to_primary <= 1
        assert 0 <= slot.residual <= 0.2
        assert field.sigma_mm >= 40
        assert 0.1 <= field.scatter_to_primary <= 4
