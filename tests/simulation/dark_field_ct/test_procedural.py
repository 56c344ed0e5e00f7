"""Procedural slices: chests with two lungs, and test phantoms among them."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy import ndimage

from dfsynth.simulation.dark_field_ct.chest_phantom import draw_chest
from dfsynth.simulation.dark_field_ct.coefficients import mu_per_m
from dfsynth.simulation.dark_field_ct.procedural import INSERT_SHARE, draw_procedural_slice
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.streams import Streams

CPU = torch.device("cpu")
SIZE = 160
HEALTHY = frozenset({"emphysema", "opacities"})


def parameter(drawn: SliceObject, name: str) -> float:
    value = drawn.parameters[name]
    assert isinstance(value, float)
    return value


@pytest.fixture(scope="module", params=[1, 2, 3])
def chest(request: pytest.FixtureRequest) -> SliceObject:
    return draw_chest(SIZE, Streams(request.param), CPU, without=HEALTHY)


def test_the_lungs_have_the_coefficient_that_was_drawn(chest: SliceObject) -> None:
    expected = parameter(chest, "eps_bar_healthy_per_m")
    assert 1.0 < parameter(chest, "eps_healthy_per_m") <= expected < 6.0
    assert parameter(chest, "eps_bar_per_m") == pytest.approx(expected, rel=1e-4)
    # The lung's share of the pixels, not their number: walls and vessels take a part of some.
    area_mm2 = parameter(chest, "lung_area_mm2")
    total = float(chest.dark_field_per_m.sum()) * chest.pixel_mm**2
    assert total / area_mm2 == pytest.approx(expected, rel=1e-4)
    inside = chest.dark_field_per_m[chest.lung_mask == 1]
    assert inside.mean() == pytest.approx(expected, rel=0.1)


def test_nothing_but_lung_scatters(chest: SliceObject) -> None:
    away = ndimage.distance_transform_edt(chest.lung_mask == 0)
    soft = (chest.mu_per_m > 0.9 * mu_per_m("water")) & (away > 2)
    assert soft.mean() > 0.05
    # Slivers of lung thinner than half a pixel are outlined by no one.
    assert chest.dark_field_per_m[soft].mean() < 0.002
    assert chest.dark_field_per_m[chest.air_mask == 1].max() == 0
    assert chest.mu_per_m[chest.air_mask == 1].max() < 0.05 * mu_per_m("water")


def test_masks_have_the_areas_of_a_chest(chest: SliceObject) -> None:
    assert not (chest.lung_mask & chest.air_mask).any()
    lung_cm2 = chest.lung_mask.sum() * chest.pixel_mm**2 / 100
    assert 60 < lung_cm2 < 500
    assert 0.15 < chest.air_mask.mean() < 0.7
    field_mm = chest.pixel_mm * SIZE
    assert 380 < field_mm < 700


def test_bone_soft_tissue_and_lung_are_told_apart_by_attenuation(chest: SliceObject) -> None:
    water = mu_per_m("water")
    assert chest.mu_per_m.max() > 1.5 * water
    lung = np.median(chest.mu_per_m[chest.lung_mask == 1])
    assert 0.08 * water < lung < 0.35 * water


def test_the_body_lies_within_the_field_of_view(chest: SliceObject) -> None:
    offset = np.arange(SIZE) - (SIZE - 1) / 2
    outside = np.hypot(offset[:, None], offset[None, :]) > SIZE / 2
    assert not chest.mu_per_m[outside].any()


def test_the_back_lies_below() -> None:
    found = []
    for seed in (1, 2, 3):
        chest = draw_chest(SIZE, Streams(seed), CPU, without=HEALTHY)
        body = np.argwhere(chest.mu_per_m > 5)
        bone = np.argwhere(chest.mu_per_m > 1.15 * mu_per_m("water"))
        middle = bone[np.abs(bone[:, 1] - body[:, 1].mean()) * chest.pixel_mm < 40]
        found.append(middle[:, 0].mean() > body[:, 0].mean())
    # The spine outweighs the breast bone.
    assert all(found)


def test_emphysema_lowers_the_coefficient() -> None:
    worst = draw_chest(SIZE, Streams(5), CPU, severity=(1.0, 1.0), without=frozenset({"opacities"}))
    ratio = parameter(worst, "eps_bar_per_m") / parameter(worst, "eps_bar_healthy_per_m")
    assert 0.35 < ratio < 0.65
    assert parameter(worst, "laa950") > 0.1


def test_equal_seeds_give_equal_slices_and_others_do_not() -> None:
    first, again, other = (draw_chest(SIZE, Streams(n), CPU) for n in (7, 7, 8))
    for name in ("mu_per_m", "dark_field_per_m", "lung_mask", "air_mask"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))
    assert dict(first.parameters) == dict(again.parameters)


def test_the_size_changes_the_pixels_and_not_the_patient() -> None:
    small, large = (draw_chest(size, Streams(9), CPU, without=HEALTHY) for size in (80, 160))
    assert small.pixel_mm == pytest.approx(2 * large.pixel_mm, rel=0.02)
    assert small.parameters["bmi"] == large.parameters["bmi"]
    areas = [parameter(o, "lung_area_mm2") for o in (small, large)]
    assert areas[0] == pytest.approx(areas[1], rel=0.02)
    binned = large.mu_per_m.reshape(80, 2, 80, 2).mean(axis=(1, 3))
    assert np.corrcoef(binned.ravel(), small.mu_per_m.ravel())[0, 1] > 0.99


def test_some_slices_are_test_phantoms() -> None:
    kinds = Counter(
        "inserts" if Streams(seed)("kind").random() < INSERT_SHARE else "chest"
        for seed in range(400)
    )
    assert kinds["inserts"] == pytest.approx(400 * INSERT_SHARE, abs=25)
    seed = next(n for n in range(400) if Streams(n)("kind").random() < INSERT_SHARE)
    assert draw_procedural_slice(64, Streams(seed), CPU).parameters["object"] == "inserts"
