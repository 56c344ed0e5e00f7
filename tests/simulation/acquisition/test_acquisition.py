"""The layers together: each alone, none, and all."""

from dataclasses import fields

import numpy as np
import pytest

from dfsynth.simulation.acquisition import (
    SCAN_LAYERS,
    ImagingParameters,
    Projections,
    XrayTube,
    acquire,
    draw_imaging,
    transmit,
)

ALL = frozenset(SCAN_LAYERS)


def stream(seed: int, asked: list[str] | None = None):
    def named(name: str) -> np.random.Generator:
        if asked is not None:
            asked.append(name)
        return np.random.default_rng([seed, *name.encode()])

    return named


@pytest.fixture(scope="module")
def chest() -> Projections:
    y, x = (np.mgrid[:96, :96] - 47.5) / 48
    body = np.sqrt(np.clip(1 - (x / 0.9) ** 2, 0, 1)).astype(np.float32)
    lung = (np.hypot((np.abs(x) - 0.42) / 0.28, y / 0.6) < 1).astype(np.float32)
    water = (220 * body - 120 * lung).clip(0).astype(np.float32)
    bone = (8 * body * (np.abs(x) < 0.12)).astype(np.float32)
    metal = np.zeros_like(water)
    return Projections(water, bone, metal, (0.4 * lung).astype(np.float32), 3.6)


def test_without_layers_the_scan_is_the_truth(chest: Projections) -> None:
    found = acquire(chest, ImagingParameters(XrayTube(70)))
    np.testing.assert_array_equal(found.dark_field, chest.dark_field)
    np.testing.assert_array_equal(
        found.transmission, transmit(chest.water_mm, chest.bone_mm, XrayTube(70))
    )


@pytest.mark.parametrize("layer", SCAN_LAYERS)
def test_each_layer_can_be_asked_for_alone(layer: str, chest: Projections) -> None:
    parameters = draw_imaging(70, frozenset({layer}), stream(1))
    on = [name for name in SCAN_LAYERS if getattr(parameters, name) is not None]
    assert on == [layer]
    found = acquire(chest, parameters)
    assert np.isfinite(found.dark_field).all()
    # The detector's blur is finer than these pixels.
    assert np.array_equal(found.dark_field, chest.dark_field) == (layer == "blur")


@pytest.mark.parametrize("layer", SCAN_LAYERS)
def test_a_layer_that_is_off_does_not_change_the_others(layer: str) -> None:
    with_all = draw_imaging(70, ALL, stream(3))
    without = draw_imaging(70, ALL - {layer}, stream(3))
    for field in fields(ImagingParameters):
        expected = None if field.name == layer else getattr(with_all, field.name)
        assert getattr(without, field.name) == expected


def test_no_stream_is_asked_for_twice() -> None:
    asked: list[str] = []
    draw_imaging(70, ALL, stream(3, asked))
    assert len(asked) == len(set(asked)) == len(SCAN_LAYERS)


@pytest.mark.parametrize("seed", range(5))
def test_a_full_scan_is_finite_pure_and_near_the_truth(seed: int, chest: Projections) -> None:
    parameters = draw_imaging(70, ALL, stream(seed))
    found, again = acquire(chest, parameters), acquire(chest, parameters)
    np.testing.assert_array_equal(found.dark_field, again.dark_field)
    np.testing.assert_array_equal(found.transmission, again.transmission)
    assert found.dark_field.dtype == found.transmission.dtype == np.float32
    assert np.isfinite(found.dark_field).all()
    assert found.transmission.min() >= 0
    lung = chest.dark_field > 0
    assert np.median(found.dark_field[lung]) == pytest.approx(0.4, abs=0.2)


def test_scatter_costs_visibility_and_correction_gives_most_of_it_back(chest: Projections) -> None:
    parameters = draw_imaging(70, frozenset({"scatter"}), stream(2))
    assert parameters.scatter is not None
    found = acquire(chest, parameters)
    truth = transmit(chest.water_mm, chest.bone_mm, XrayTube(70))
    gained = found.dark_field - chest.dark_field
    left = found.transmission / truth - 1
    body = truth < 0.5
    assert (gained[body] > 0).all()
    ratio = parameters.scatter.scatter_to_primary
    assert np.median(gained[body]) == pytest.approx(
        parameters.scatter.residual * np.log1p(ratio), rel=0.05
    )
    assert np.median(left[body]) == pytest.approx(parameters.scatter.residual * ratio, rel=0.05)


def test_behind_metal_there_is_only_noise(chest: Projections) -> None:
    metal = np.zeros_like(chest.metal_mm)
    metal[40:50, 20:40] = 20
    plated = Projections(chest.water_mm, chest.bone_mm, metal, chest.dark_field, chest.pixel_mm)
    found = acquire(plated, draw_imaging(70, frozenset({"noise"}), stream(2)))
    assert found.transmission[metal > 0].max() < 1e-4
    assert np.isfinite(found.dark_field).all()
    assert found.dark_field[metal > 0].std() > 0.3
