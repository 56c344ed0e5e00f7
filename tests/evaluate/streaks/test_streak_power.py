"""Streaks of known direction and amplitude, in noise."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.evaluate.streaks.streak_power import StreakPower, measure_streaks

SIDE = 160
Y, X = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
REGION = np.hypot(1.3 * Y, X) < 76


def noise(seed: int, blur_px: float = 0.0) -> NDArray[np.float64]:
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    return ndimage.gaussian_filter(white, blur_px) if blur_px else white


def streaks(angle_deg: float, seed: int = 0) -> NDArray[np.float64]:
    """Stripes of some pixels' width and variance 1, along a direction."""
    profile = ndimage.gaussian_filter1d(np.random.default_rng(seed).standard_normal(400), 1.5)
    angle = np.radians(angle_deg)
    across = Y * np.cos(angle) - X * np.sin(angle)
    return np.interp(across, np.arange(400) - 200, profile / profile.std())


def share(found: StreakPower) -> float:
    return found.directional / found.mid_band


@pytest.mark.parametrize("blur_px", [0.0, 1.0])
@pytest.mark.parametrize("uneven", [False, True])
def test_isotropic_noise_has_none(blur_px, uneven) -> None:
    """Also where it is stronger in the middle than outside."""
    level = np.where(np.hypot(X - 20, 2 * Y) < 50, 3.0, 1.0) if uneven else 1.0
    shares = [share(measure_streaks(level * noise(seed, blur_px), REGION)) for seed in range(40)]
    error = np.std(shares) / len(shares) ** 0.5
    assert abs(np.mean(shares)) < 3 * error + 0.003
    assert np.std(shares) < 0.05


@pytest.mark.parametrize("angle", [0.0, 31.0, 90.0, 142.0])
def test_streaks_come_back_with_their_power_and_direction(angle) -> None:
    image = streaks(angle)
    alone = measure_streaks(image, REGION)
    assert 0.75 < share(alone) < 1
    found = measure_streaks(image + 0.5 * noise(1), REGION)
    assert found.directional == pytest.approx(alone.directional, rel=0.1)
    top = found.angles_deg[np.argmax(found.by_angle)]
    assert abs((top - angle + 90) % 180 - 90) <= 2.5
    assert found.by_angle.sum() == pytest.approx(found.mid_band)


def test_power_grows_with_the_square_of_the_amplitude() -> None:
    base, image = noise(3), streaks(50.0) + streaks(120.0, 1)
    amplitudes = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0]
    found = [measure_streaks(base + a * image, REGION).directional for a in amplitudes]
    assert (np.diff(found) > 0).all()
    assert found[5] / found[4] == pytest.approx(4, rel=0.1)
    assert measure_streaks(10 * image, REGION).directional == pytest.approx(
        100 * measure_streaks(image, REGION).directional
    )


def test_the_whole_spectrum_sums_to_the_variance_in_the_band() -> None:
    """White noise: the share of the plane between both circles."""
    found = np.mean([measure_streaks(noise(seed), REGION).mid_band for seed in range(10)])
    assert found == pytest.approx(np.pi * (1 / 16 - 1 / 256), rel=0.03)


def test_an_offset_and_what_lies_outside_do_not_matter() -> None:
    image = streaks(31.0)
    found = measure_streaks(image, REGION).directional
    spoiled = np.where(REGION, image + 9, np.nan)
    assert measure_streaks(spoiled, REGION).directional == pytest.approx(found)


def test_without_room_it_is_undefined() -> None:
    assert np.isnan(measure_streaks(noise(0), np.zeros_like(REGION)).directional)
    assert np.isnan(measure_streaks(noise(0)[:63], REGION[:63]).mid_band)
