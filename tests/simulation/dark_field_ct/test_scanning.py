"""Whole scans: known coefficients, streaks where vibration makes them, and their growth."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import ScannedSlice, scan
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.dark_field_ct.validation.measures import (
    box_contrast,
    sector_variation,
)
from dfsynth.simulation.dark_field_ct.validation.phantoms import (
    away_from_edges,
    disc_in_the_axis,
    lungs_in_a_body,
)

CPU = torch.device("cpu")
STEADY_DRIFT = 4 * 1600 / 31
"""Cycles a second of which a window of 31 shots sees four; they alone cover all phases."""


@cache
def chest(side: int, organs: bool = False) -> SliceObject:
    return lungs_in_a_body(side, organs)


def take(slice_object: SliceObject, seed: int = 0, **settings: Any) -> ScannedSlice:
    return scan(
        slice_object,
        ScanSettings(**settings),
        np.random.default_rng(seed),
        CPU,
    )


def steady(slice_object: SliceObject, **settings: Any) -> ScannedSlice:
    """A scan without vibration and noise."""
    return take(
        slice_object,
        vibration_scale=0.0,
        drift_cycles_per_s=STEADY_DRIFT,
        photon_noise=False,
        **settings,
    )


def inside(slice_object: SliceObject) -> NDArray[np.bool_]:
    return away_from_edges(slice_object.lung_mask, slice_object.pixel_mm)


def each_lung(side: int) -> list[NDArray[np.bool_]]:
    """The right one, which lies on the left, and the other."""
    lungs, left = inside(chest(side)), np.arange(side) < side / 2
    return [lungs & left, lungs & ~left]


@pytest.mark.parametrize("beam", ["parallel", "fan"])
def test_coefficients_are_found_within_two_percent(beam: str) -> None:
    side = 96
    scanned = steady(chest(side), beam=beam, rotations=4)
    for lung in each_lung(side):
        for image in (scanned.single_rotation, scanned.multi_rotation):
            assert image[lung].mean() == pytest.approx(2.5, rel=0.02)
        assert scanned.attenuation[lung].mean() == pytest.approx(4.5, rel=0.04)
    disc = disc_in_the_axis(side)
    round_one, middle = steady(disc, beam=beam, rotations=4), inside(disc)
    for image in (round_one.single_rotation, round_one.multi_rotation):
        assert image[middle].mean() == pytest.approx(2.5, rel=0.02)
        assert image[middle].std() < 0.05
    assert round_one.attenuation[middle].mean() == pytest.approx(
        disc.mu_per_m[middle].mean(), rel=0.02
    )


def test_streaks_come_from_vibration_and_a_change_of_the_object() -> None:
    side = 96
    lungs, disc = inside(chest(side)), disc_in_the_axis(side)
    quiet = steady(chest(side), rotations=1).single_rotation
    shaken = take(chest(side), rotations=1, photon_noise=False).single_rotation
    assert quiet[lungs].std() < 0.1
    assert shaken[lungs].std() > 6 * quiet[lungs].std()
    # A disc in the axis of rotation does not change, and has none.
    round_one = take(disc, rotations=1, photon_noise=False).single_rotation
    assert round_one[inside(disc)].std() < 0.1


def test_streaks_run_in_few_directions_everywhere_and_most_in_the_middle() -> None:
    side = 128
    object_ = chest(side, organs=True)
    scanned = take(object_, photon_noise=False, rotations=1)
    error = scanned.single_rotation - steady(object_, rotations=1).single_rotation
    radius = np.hypot(*np.meshgrid(*2 * [np.arange(side) - (side - 1) / 2])) / (side / 2)
    assert error[radius < 0.3].std() > 1.1 * error[(radius > 0.7) & (radius < 1)].std()
    assert error[object_.air_mask == 1].std() > 0.4
    noise = np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    assert sector_variation(error) > 4 * sector_variation(noise)


def test_contrast_to_noise_of_one_rotation_is_the_published_one_and_grows_with_more() -> None:
    object_ = chest(200, organs=True)
    scans = [take(object_, seed, rotations=4) for seed in range(3)]
    single = np.median([box_contrast(one.single_rotation, object_) for one in scans])
    four = np.median([box_contrast(one.multi_rotation, object_) for one in scans])
    twenty = box_contrast(take(object_, rotations=20).multi_rotation, object_)
    assert 1.5 < single < 1.9
    assert single < 0.6 * four < 0.6 * twenty


def test_one_rotation_is_both() -> None:
    scanned = take(chest(64), rotations=1)
    assert np.array_equal(scanned.single_rotation, scanned.multi_rotation)


def test_the_first_rotation_is_the_same_however_many_follow() -> None:
    one, three = take(chest(64), rotations=1), take(chest(64), rotations=3)
    assert np.array_equal(one.single_rotation, three.single_rotation)
    assert not np.array_equal(one.multi_rotation, three.multi_rotation)


def test_equal_seeds_give_equal_scans() -> None:
    first, again, other = (take(chest(64), seed, rotations=2) for seed in (4, 4, 5))
    for name in ("single_rotation", "multi_rotation", "truth", "attenuation"):
        image = getattr(first, name)
        assert np.array_equal(image, getattr(again, name))
        assert image.shape == (64, 64)
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
    assert first.parameters == again.parameters != other.parameters
    assert not np.array_equal(first.single_rotation, other.single_rotation)
    assert np.array_equal(first.truth, chest(64).dark_field_per_m)


def test_the_reference_scan_vibrates_by_itself() -> None:
    taken = take(chest(64), rotations=2)
    known = take(chest(64), rotations=2, reference_scan=False)
    names = taken.parameters.keys()
    assert (
        taken.parameters["scan_mode_1_amplitude_rad"]
        != (taken.parameters["reference_mode_1_amplitude_rad"])
    )
    assert {name.split("_")[0] for name in names} == {"scan", "reference"}
    lungs = chest(64).lung_mask == 1
    # Blur that a known visibility does not have is taken for dark-field.
    offset = known.multi_rotation[lungs].mean() - taken.multi_rotation[lungs].mean()
    assert 0 < offset < 0.3


def test_a_coarser_detector_serves_as_well() -> None:
    scanned = steady(chest(96), rotations=2, detector_pixels=64)
    for lung in each_lung(96):
        assert scanned.multi_rotation[lung].mean() == pytest.approx(2.5, rel=0.02)
