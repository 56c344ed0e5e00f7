"""Whole scans: known coefficients, streaks where vibration makes them, and their growth."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from ellipses import Ellipse, draw_ellipses, slice_of
from numpy.typing import NDArray

from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.scanning import ScannedSlice, scan
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

CPU = torch.device("cpu")
STEADY_DRIFT = 4 * 1600 / 31
"""Cycles a second of which a window of 31 shots sees four; they alone cover all phases."""
BODY = Ellipse(0.0, 0.0, 175.0, 115.0, 18.5)
LUNGS = [Ellipse(-85.0, -5.0, 62.0, 88.0, 2.5), Ellipse(85.0, -5.0, 62.0, 88.0, 2.5)]
ORGANS = [
    Ellipse(0.0, 75.0, 18.0, 20.0, 35.0),
    Ellipse(15.0, -35.0, 45.0, 40.0, 19.0),
    *(
        Ellipse(side * x, y, radius, radius, 19.0)
        for side in (-1, 1)
        for x, y, radius in ((60, 0, 8), (75, 20, 6), (90, -30, 5), (70, -50, 4), (110, 40, 4))
    ),
]
"""Spine, heart and vessels."""
DISC = Ellipse(0.0, 0.0, 130.0, 130.0, 15.0)


@cache
def chest(side: int, organs: bool = False) -> SliceObject:
    """Two lungs in a body of 35 x 23 cm, without ribs."""
    pixel_mm = 420 / side
    airy = [replace(one, per_m=4.5) for one in LUNGS]
    inner = ORGANS if organs else []
    smooth = [replace(one, per_m=0.0) for one in inner]
    return slice_of(
        draw_ellipses([BODY, *airy, *inner], side, pixel_mm),
        draw_ellipses([*LUNGS, *smooth], side, pixel_mm),
        pixel_mm,
    )


def disc(side: int) -> SliceObject:
    """What looks the same from all sides."""
    pixel_mm = 420 / side
    scatters = Ellipse(0.0, 0.0, 80.0, 80.0, 2.5)
    return slice_of(
        draw_ellipses([DISC], side, pixel_mm), draw_ellipses([scatters], side, pixel_mm), pixel_mm
    )


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


def inside(ellipse: Ellipse, side: int) -> NDArray[np.bool_]:
    """Pixels at least 15 mm from the edge, which windows and filters blur."""
    inner = replace(ellipse, semi_x=ellipse.semi_x - 15, semi_y=ellipse.semi_y - 15, per_m=1.0)
    return draw_ellipses([inner], side, 420 / side) == 1


def contrast_to_noise(image: NDArray[np.float32], slice_object: SliceObject) -> float:
    """(lung - air) / sqrt(var lung + var air) within 30 x 30 pixels each, of 200 x 200."""
    lung = image[84:114, 130:160][slice_object.lung_mask[84:114, 130:160] == 1]
    air = image[10:40, 85:115]
    assert len(lung) > 800
    assert slice_object.air_mask[10:40, 85:115].all()
    return float((lung.mean() - air.mean()) / np.sqrt(lung.var() + air.var()))


@pytest.mark.parametrize("beam", ["parallel", "fan"])
def test_coefficients_are_found_within_two_percent(beam: str) -> None:
    side = 96
    scanned = steady(chest(side), beam=beam, rotations=4)
    for lung in LUNGS:
        for image in (scanned.single_rotation, scanned.multi_rotation):
            assert image[inside(lung, side)].mean() == pytest.approx(2.5, rel=0.02)
        assert scanned.attenuation[inside(lung, side)].mean() == pytest.approx(4.5, rel=0.04)
    round_one = steady(disc(side), beam=beam, rotations=4)
    middle = inside(Ellipse(0.0, 0.0, 80.0, 80.0, 2.5), side)
    for image in (round_one.single_rotation, round_one.multi_rotation):
        assert image[middle].mean() == pytest.approx(2.5, rel=0.02)
        assert image[middle].std() < 0.05
    assert round_one.attenuation[middle].mean() == pytest.approx(15.0, rel=0.02)


def test_streaks_come_from_vibration_and_a_change_of_the_object() -> None:
    side = 96
    lungs = np.any([inside(lung, side) for lung in LUNGS], axis=0)
    quiet = steady(chest(side), rotations=1).single_rotation
    shaken = take(chest(side), rotations=1, photon_noise=False).single_rotation
    assert quiet[lungs].std() < 0.1
    assert shaken[lungs].std() > 6 * quiet[lungs].std()
    # A disc in the axis of rotation does not change, and has none.
    middle = inside(Ellipse(0.0, 0.0, 80.0, 80.0, 2.5), side)
    assert take(disc(side), rotations=1, photon_noise=False).single_rotation[middle].std() < 0.1


def test_streaks_run_in_few_directions_everywhere_and_most_in_the_middle() -> None:
    side = 128
    object_ = chest(side, organs=True)
    scanned = take(object_, photon_noise=False, rotations=1)
    error = scanned.single_rotation - steady(object_, rotations=1).single_rotation
    radius = np.hypot(*np.meshgrid(*2 * [np.arange(side) - (side - 1) / 2])) / (side / 2)
    assert error[radius < 0.3].std() > 1.1 * error[(radius > 0.7) & (radius < 1)].std()
    assert error[object_.air_mask == 1].std() > 0.4
    streaks = direction_power(error)
    noise = direction_power(
        np.random.default_rng(0).standard_normal((side, side)).astype(np.float32)
    )
    assert streaks.std() / streaks.mean() > 4 * noise.std() / noise.mean()


def direction_power(error: NDArray[np.float32]) -> NDArray[np.float64]:
    """Spectral power in 36 sectors of direction, the middle frequencies only."""
    side = len(error)
    frequency = np.fft.fftfreq(side)
    power = np.abs(np.fft.fft2(error)) ** 2
    size = np.hypot(frequency, frequency[:, None])
    angle = np.arctan2(frequency[:, None], frequency[None]) % np.pi
    ring = (size > 0.08) & (size < 0.3)
    sector = np.minimum((angle / np.pi * 36).astype(int), 35)
    return np.array([power[ring & (sector == one)].mean() for one in range(36)])


def test_contrast_to_noise_of_one_rotation_is_the_published_one_and_grows_with_more() -> None:
    object_ = chest(200, organs=True)
    scans = [take(object_, seed, rotations=4) for seed in range(3)]
    single = np.median([contrast_to_noise(one.single_rotation, object_) for one in scans])
    four = np.median([contrast_to_noise(one.multi_rotation, object_) for one in scans])
    twenty = contrast_to_noise(take(object_, rotations=20).multi_rotation, object_)
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
    for lung in LUNGS:
        assert scanned.multi_rotation[inside(lung, 96)].mean() == pytest.approx(2.5, rel=0.02)
