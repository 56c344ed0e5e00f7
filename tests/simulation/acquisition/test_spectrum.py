"""Polychromatic transmission, against its own sum and against published coefficients."""

import numpy as np
import pytest

from dfsynth.errors import UsageError
from dfsynth.simulation.acquisition.equivalent import water_equivalent
from dfsynth.simulation.acquisition.spectrum import (
    XrayTube,
    attenuation_per_mm,
    detected_spectrum,
    effective_water_per_cm,
    transmit,
)


@pytest.mark.parametrize(
    ("kvp", "thin", "behind_15_cm"),
    [(60, 0.324, 0.273), (70, 0.297, 0.255), (80, 0.277, 0.241), (125, 0.237, 0.215)],
)
def test_the_effective_coefficient_of_water(kvp: float, thin: float, behind_15_cm: float) -> None:
    assert effective_water_per_cm(XrayTube(kvp), 0) == pytest.approx(thin, rel=0.01)
    assert effective_water_per_cm(XrayTube(kvp), 150) == pytest.approx(behind_15_cm, rel=0.01)


@pytest.mark.parametrize("kvp", [60.0, 72.5, 125.0])
def test_the_lookup_is_the_sum_over_energies(kvp: float) -> None:
    rng = np.random.default_rng(3)
    water = rng.uniform(0, 400, (40, 50)).astype(np.float32)
    bone = (rng.uniform(0, 1, (40, 50)) ** 2 * 60).astype(np.float32)
    spectrum = detected_spectrum(XrayTube(kvp))
    path = water[..., None] * attenuation_per_mm("water") + bone[..., None] * attenuation_per_mm(
        "bone"
    )
    expected = np.exp(-path) @ spectrum.weight
    np.testing.assert_allclose(transmit(water, bone, XrayTube(kvp)), expected, rtol=0.003)


def test_nothing_in_the_beam_lets_everything_through() -> None:
    nothing = np.zeros((2, 3), np.float32)
    np.testing.assert_allclose(transmit(nothing, nothing, XrayTube(70), nothing), 1.0, rtol=1e-6)


def test_more_than_the_table_holds_still_lets_less_through_than_anything_in_it() -> None:
    water = np.array([[700.0, 5000.0]], np.float32)
    found = transmit(water, np.zeros_like(water), XrayTube(70))
    assert 0 < found[0, 1] < found[0, 0]


def test_a_millimetre_of_metal_stops_more_than_ten_of_bone() -> None:
    water, bone = np.full((1, 3), 150.0, np.float32), np.array([[0, 10.0, 0]], np.float32)
    metal = np.array([[0, 0, 1.0]], np.float32)
    plain, behind_bone, behind_metal = transmit(water, bone, XrayTube(70), metal)[0]
    assert behind_metal < behind_bone < plain


def test_a_higher_voltage_passes_more_and_shows_bone_less() -> None:
    water, bone = np.full((1, 2), 150.0, np.float32), np.array([[0, 8.0]], np.float32)
    low, high = (transmit(water, bone, XrayTube(kvp))[0] for kvp in (70, 120))
    assert (high > low).all()
    assert high[1] / high[0] > low[1] / low[0]


@pytest.mark.parametrize("kvp", [20.0, 151.0])
def test_a_voltage_without_a_spectrum_is_refused(kvp: float) -> None:
    with pytest.raises(UsageError, match="choose 40 to 150 kVp"):
        detected_spectrum(XrayTube(kvp))


def test_water_is_its_own_equivalent() -> None:
    water = np.array([[0, 5.0, 100.0, 300.0]], np.float32)
    found = water_equivalent(transmit(water, np.zeros_like(water), XrayTube(70)), XrayTube(70))
    np.testing.assert_allclose(found, water, atol=0.1)
