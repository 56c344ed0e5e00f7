"""Devices: metal at the places where doctors put it."""

import numpy as np
import pytest

from dfsynth.simulation.acquisition.implants import (
    IMPLANT_KINDS,
    ImplantKind,
    ImplantParameters,
    Plate,
    Wire,
    chest_places,
    draw_implants,
    project_implants,
)


def lungs(side: int = 128) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[side // 5 : side * 4 // 5, side // 6 : side * 2 // 5] = True
    mask[side // 5 : side * 4 // 5, side * 3 // 5 : side * 5 // 6] = True
    return mask


def test_the_box_is_that_of_the_lungs_and_no_speck_widens_it() -> None:
    mask = lungs(120)
    mask[2, 60] = True
    places = chest_places(mask)
    assert (places.left, places.right) == (20 / 120, 100 / 120)
    assert (places.top, places.bottom) == (24 / 120, 96 / 120)
    assert places.at(0, 0) == (places.left, places.top)


def test_without_lungs_there_is_still_a_chest() -> None:
    places = chest_places(np.zeros((50, 50), bool))
    assert 0 < places.left < places.right < 1


@pytest.mark.parametrize("kind", IMPLANT_KINDS)
def test_every_kind_is_seen(kind: ImplantKind) -> None:
    for seed in range(5):
        drawn = draw_implants(chest_places(lungs()), np.random.default_rng(seed), (kind,))
        metal, mask = project_implants((128, 128), 3.0, drawn)
        assert drawn.kinds == (kind,)
        assert metal.min() >= 0
        assert 2 < mask.sum() < 0.25 * mask.size
        np.testing.assert_array_equal(mask, metal > 0.05)


def test_most_pacemakers_are_on_the_patients_left() -> None:
    places = chest_places(lungs())
    cans = [
        draw_implants(places, np.random.default_rng(seed), ("pacemaker",)).plates[0].centre[0]
        for seed in range(60)
    ]
    assert np.mean(np.array(cans) > 0.5) > 0.7


@pytest.mark.parametrize("pixel_mm", [0.5, 1.0, 3.0])
def test_a_wire_has_the_same_metal_at_any_resolution(pixel_mm: float) -> None:
    side = round(150 / pixel_mm)
    wire = Wire(((0.2, 0.5), (0.5, 0.5), (0.8, 0.5)), 3.0, 0.7)
    metal, _ = project_implants((side, side), pixel_mm, ImplantParameters((), (wire,), ()))
    assert metal.sum() * pixel_mm**2 == pytest.approx(np.pi / 4 * 0.6 * 150 * 3.0 * 0.7, rel=0.02)
    assert metal.max() < 0.75


def test_a_wire_finer_than_a_pixel_is_thinner_metal() -> None:
    wire = Wire(((0.2, 0.5), (0.8, 0.5)), 1.0, 0.8)
    metal, _ = project_implants((64, 64), 4.0, ImplantParameters((), (wire,), ()))
    assert metal.sum(axis=0)[32] == pytest.approx(np.pi / 4 * 0.8 / 4, rel=0.05)


def test_a_plate_has_its_area() -> None:
    plate = Plate((0.5, 0.5), (20.0, 10.0), 30.0, 2.0)
    metal, _ = project_implants((120, 120), 1.0, ImplantParameters((), (), (plate,)))
    assert (metal > 1).sum() == pytest.approx(np.pi * 20 * 10, rel=0.05)
