"""An uncorrected PET looks as physics has it: known profiles, hot lungs, a cold middle."""

import numpy as np
import pytest
from pet_sessions import body_hu
from scipy.integrate import quad
from scipy.ndimage import binary_dilation

from dfsynth.records import Float32Map
from dfsynth.simulation.pet_ct.body import find_body
from dfsynth.simulation.pet_ct.uncorrected import ScanDraw, scan_uncorrected, simulate_pet
from dfsynth.simulation.streams import Streams

WATER_PER_MM = 0.0096
SIDE, PIXEL_MM = 80, 3.0
IDEAL = ScanDraw(resolution_mm=1e-3, filter_mm=1e-3, scatter_fraction=0, scatter_mm=200, counts=0)


def distance_mm() -> np.ndarray:
    y, x = np.ogrid[:SIDE, :SIDE]
    middle = (SIDE - 1) / 2
    return np.hypot(y - middle, x - middle) * PIXEL_MM


def disc(radius_mm: float) -> Float32Map:
    edge = (radius_mm - distance_mm()) / PIXEL_MM + 0.5
    return np.asarray(np.clip(edge, 0, 1), np.float32)


def uncorrected_profile(place_mm: float, radius_mm: float) -> float:
    """Abel's inverse of p(s) = L exp(-mu L), L = 2 sqrt(R² - s²), at the distance `place_mm`."""
    half_mm = np.sqrt(radius_mm**2 - place_mm**2)

    def integrand(angle: float) -> float:
        length = 2 * half_mm * np.cos(angle)
        return float(2 / np.pi * (1 - WATER_PER_MM * length) * np.exp(-WATER_PER_MM * length))

    return float(quad(integrand, 0, np.pi / 2)[0])


@pytest.mark.parametrize("radius_mm", [60.0, 100.0])
def test_a_uniform_cylinder_has_the_profile_that_can_be_computed(radius_mm: float) -> None:
    body = disc(radius_mm)
    found = scan_uncorrected(body, body * WATER_PER_MM, PIXEL_MM, IDEAL, np.random.default_rng(0))
    for share in (0.0, 0.3, 0.6, 0.8, 0.9):
        ring = np.abs(distance_mm() - share * radius_mm) < PIXEL_MM
        expected = uncorrected_profile(share * radius_mm, radius_mm)
        assert found[ring].mean() == pytest.approx(expected, abs=0.015), share
    assert found[distance_mm() > 1.1 * radius_mm].max() < 0.05


def test_without_attenuation_the_activity_comes_back() -> None:
    body = disc(60.0)
    found = scan_uncorrected(body, body * 0, PIXEL_MM, IDEAL, np.random.default_rng(0))
    assert found[distance_mm() < 50] == pytest.approx(1, abs=0.05)


def test_scatter_adds_its_share_and_counts_their_noise() -> None:
    body = disc(60.0)

    def scan(**changes: float) -> Float32Map:
        given = {name: getattr(IDEAL, name) for name in IDEAL.__slots__} | changes
        return scan_uncorrected(
            body, body * 0, PIXEL_MM, ScanDraw(**given), np.random.default_rng(0)
        )

    plain, scattered = scan(), scan(scatter_fraction=0.4)
    # All that is added is 0.4 of all: 2 / 3 of what there was. Some of it lies beside the slice.
    assert 1.4 < scattered.sum() / plain.sum() < 1.7
    inside = distance_mm() < 45
    few, many = (scan(counts=n)[inside].std() for n in (1e5, 1e6))
    assert few > 2.5 * many > 2.5 * plain[inside].std()


@pytest.mark.parametrize("cut", [0, 12])
def test_scatter_beside_the_slice_lies_not_in_its_frame(cut: int) -> None:
    """Of a body with air around it, and of one that is cut off close to its middle."""
    body = np.roll(disc(60.0), -20, axis=0)[cut : SIDE - cut, cut : SIDE - cut]
    scan = ScanDraw(5.0, 4.0, scatter_fraction=0.3, scatter_mm=220.0, counts=0.0)
    found = scan_uncorrected(body, body * WATER_PER_MM, PIXEL_MM, scan, np.random.default_rng(0))
    frame = ~binary_dilation(body > 0, iterations=4)
    frame[2:-2, 2:-2] = False
    assert found[frame].max() < 0.3 * found[body > 0.5].mean()


def test_lungs_are_bright_and_the_middle_is_dark() -> None:
    hu = np.full((60, 60), -1000, np.float32)
    hu[6:54] = body_hu()[5]
    body = find_body(hu[None], 6.0)[0]
    lungs = body & (hu > -900) & (hu < -700)
    middle = np.zeros_like(lungs)
    middle[26:34, 27:32] = True
    seen = [simulate_pet(hu, body, 6.0, Streams(seed)) for seed in range(12)]
    # Organs and spots are where they are drawn, and so in some.
    ratios = [pet.suv[lungs].mean() / pet.suv[middle].mean() for pet in seen]
    true = [
        float(pet.drawn["uptake_lung"] or 0) / float(pet.drawn["uptake_soft"] or 1) for pet in seen
    ]
    assert np.median(ratios) > 1.5
    assert np.median(true) < 1
    assert all(pet.suv.min() >= 0 and pet.suv.dtype == np.float32 for pet in seen)


def test_equal_seeds_give_equal_slices() -> None:
    hu = np.full((60, 60), -1000, np.float32)
    hu[6:54] = body_hu()[5]
    body = find_body(hu[None], 6.0)[0]
    first, again, other = (simulate_pet(hu, body, 6.0, Streams(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.suv, again.suv)
    assert first.drawn == again.drawn != other.drawn


def test_a_slice_of_many_pixels_is_scanned_in_coarser_ones() -> None:
    hu = np.full((60, 60), -1000, np.float32)
    hu[6:54] = body_hu()[5]
    fine = hu.repeat(3, axis=0).repeat(3, axis=1)
    body = find_body(fine[None], 2.0)[0]
    found = simulate_pet(fine, body, 2.0, Streams(1))
    assert found.suv.shape == (180, 180)
    assert found.suv[body].mean() > 10 * found.suv[:15].mean()
