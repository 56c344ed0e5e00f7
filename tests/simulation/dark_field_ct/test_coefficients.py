"""Attenuation coefficients are those of a chest's beam at 80 kVp."""

import pytest

from dfsynth.simulation.acquisition.spectrum import effective_water_per_cm
from dfsynth.simulation.dark_field_ct.coefficients import TUBE, mu_per_m


def test_water_lies_at_the_mean_along_a_chest() -> None:
    mean_per_m = 100 * effective_water_per_cm(TUBE, 150.0)
    assert mu_per_m("water") == pytest.approx(mean_per_m, rel=0.03)


def test_what_is_denser_attenuates_more() -> None:
    assert mu_per_m("water") < mu_per_m("pmma") < 2 * mu_per_m("water")
    # Cortical bone over water at about 50 keV: 0.424 · 1.92 / 0.227 (NIST XCOM, ICRU 44).
    assert mu_per_m("bone") / mu_per_m("water") == pytest.approx(3.6, rel=0.15)
