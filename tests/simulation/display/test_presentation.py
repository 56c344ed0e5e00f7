"""The whole display model: each layer alone, none, and all."""

from dataclasses import fields, replace

import numpy as np
import pytest

from dfsynth.simulation.acquisition import Projections
from dfsynth.simulation.display import (
    APPEARANCES,
    DISPLAY_LAYERS,
    DisplayParameters,
    draw_display,
    present,
)
from dfsynth.simulation.display.exposure import expose
from dfsynth.simulation.display.tone_curve import apply_tone_curve

ALL = frozenset(DISPLAY_LAYERS)


def stream(seed: int):
    return lambda name: np.random.default_rng([seed, *name.encode()])


@pytest.fixture(scope="module")
def chest() -> Projections:
    y, x = (np.mgrid[:96, :96] - 47.5) / 48
    body = np.sqrt(np.clip(1 - (x / 0.9) ** 2, 0, 1))
    lung = np.hypot((np.abs(x) - 0.42) / 0.28, y / 0.6) < 1
    water = (230 * body - 130 * lung * np.sqrt(body)).clip(0).astype(np.float32)
    bone = (8 * body * (np.abs(x) < 0.12)).astype(np.float32)
    return Projections(water, bone, np.zeros_like(water), np.zeros_like(water), 3.6)


def test_without_layers_there_is_an_exposure_and_its_grading(chest: Projections) -> None:
    parameters = draw_display(120, frozenset(), stream(1))
    density = expose(chest.water_mm, chest.bone_mm, chest.metal_mm, 3.6, parameters.exposure)
    np.testing.assert_array_equal(
        present(chest, parameters), np.clip(apply_tone_curve(density, parameters.tone_curve), 0, 1)
    )


@pytest.mark.parametrize("layer", DISPLAY_LAYERS)
def test_a_layer_that_is_off_does_not_change_the_others(layer: str) -> None:
    for seed in range(10):
        with_all = draw_display(None, ALL, stream(seed))
        without = draw_display(None, ALL - {layer}, stream(seed))
        for field in fields(DisplayParameters):
            expected = None if field.name == layer else getattr(with_all, field.name)
            assert getattr(without, field.name) == expected


@pytest.mark.parametrize("layer", DISPLAY_LAYERS)
def test_each_layer_can_be_asked_for_alone(layer: str, chest: Projections) -> None:
    drawn = [draw_display(None, frozenset({layer}), stream(seed)) for seed in range(20)]
    on = {name for one in drawn for name in DISPLAY_LAYERS if getattr(one, name) is not None}
    assert on == {layer}
    found = present(chest, next(one for one in drawn if getattr(one, layer) is not None))
    assert 0 <= found.min() < found.max() <= 1


@pytest.mark.parametrize("inverted", [False, True])
def test_bars_are_black_in_either_polarity(chest: Projections, inverted: bool) -> None:
    drawn = draw_display(None, ALL, stream(3))
    assert drawn.framing is not None
    assert drawn.encoding is not None
    barred = replace(
        drawn,
        framing=replace(drawn.framing, bars=(0.0, 0.1, 0.0, 0.25)),
        encoding=replace(
            drawn.encoding,
            photometric="MONOCHROME1" if inverted else "MONOCHROME2",
            jpeg_quality=None,
        ),
    )
    found = present(chest, barred)
    assert (found[:10] == 0).all()
    assert (found[72:] == 0).all()
    assert found[20:60].mean() > 0.2


def test_every_appearance_occurs() -> None:
    assert {draw_display(None, ALL, stream(seed)).appearance for seed in range(60)} == set(
        APPEARANCES
    )


def test_the_voltage_is_the_one_asked_for() -> None:
    assert draw_display(95, ALL, stream(0)).exposure.tube.kvp == 95


@pytest.mark.parametrize("seed", range(12))
def test_lungs_are_darker_than_the_mediastinum_and_little_is_lost(
    seed: int, chest: Projections
) -> None:
    parameters = draw_display(None, ALL - {"shutter", "markers"}, stream(seed))
    found = present(chest, parameters)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, present(chest, parameters))
    lung, middle = found[40:56, 20:32], found[40:56, 44:52]
    assert np.median(middle) - np.median(lung) > 0.08
    assert (found[:, 8:-8] >= 0.99).mean() < 0.35
