"""Shoulders, gas and contrast agent: what differs between a supine scan and a standing chest."""

import numpy as np
import pytest
from ct_volumes import thorax_hu, volume_of

from dfsynth.simulation.ct import CtLimits
from dfsynth.simulation.ct.completion import complete_body
from dfsynth.simulation.ct.lungs import LungMasks, find_body, segment_lungs
from dfsynth.simulation.ct.resampling import Cubes, cut_into_cubes


@pytest.fixture(scope="module")
def scanned() -> tuple[Cubes, LungMasks]:
    cubes = cut_into_cubes(volume_of(thorax_hu()))
    return cubes, segment_lungs("made", cubes, find_body("made", cubes), CtLimits())


def completed(cubes: Cubes, masks: LungMasks) -> Cubes:
    return complete_body(cubes, masks, np.zeros_like(masks.body))[0]


def test_lungs_and_bones_are_left_alone(scanned: tuple[Cubes, LungMasks]) -> None:
    cubes, masks = scanned
    changed = completed(cubes, masks).hu != cubes.hu
    assert not changed[masks.lungs | (cubes.hu > 150)].any()


def test_a_vein_full_of_contrast_agent_is_emptied(scanned: tuple[Cubes, LungMasks]) -> None:
    cubes, masks = scanned
    hu = cubes.hu.copy()
    middle = hu.shape[0] // 2
    wall = int(np.flatnonzero(masks.body[middle, 40])[0]) + 2
    vein = (slice(middle - 8, middle + 8), slice(30, 50), slice(wall, wall + 8))
    hu[vein] = 2500
    assert completed(Cubes(hu, cubes.step_mm), masks).hu[vein].max() < 100


def test_gas_at_the_last_slice_is_filled(scanned: tuple[Cubes, LungMasks]) -> None:
    cubes, masks = scanned
    hu = cubes.hu.copy()
    middle = hu.shape[0] // 2
    gas = (slice(middle - 8, middle + 8), slice(-6, None), slice(70, 90))
    hu[gas] = -950
    after = completed(Cubes(hu, cubes.step_mm), masks).hu[gas]
    assert after.min() > -150
    assert after[:, -1].min() > 30
