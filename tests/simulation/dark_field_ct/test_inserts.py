"""Test phantoms have exactly the coefficients that were asked for."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulation.dark_field_ct.coefficients import mu_per_m
from dfsynth.simulation.dark_field_ct.insert_phantoms import draw_insert_phantom
from dfsynth.simulation.dark_field_ct.inserts import Insert, build_phantom

HOST = Insert("water", "ellipse", (0.0, 0.0), (80.0, 60.0), 0.0, mu_per_m("water"), 0.0)
FOAM = Insert("foam", "ellipse", (20.0, -10.0), (15.0, 15.0), 0.0, 1.3, 2.7)
WEDGE = Insert("foam", "wedge", (-30.0, 0.0), (20.0, 10.0), 0.0, 0.9, 3.1)


def test_whole_pixels_have_exactly_the_coefficients_asked_for() -> None:
    drawn = build_phantom([HOST, FOAM, WEDGE], 100, 2.0)
    # 20 mm right of the middle and 10 mm above it; pixel centres lie at odd millimetres.
    assert drawn.dark_field_per_m[45, 60] == np.float32(2.7)
    assert drawn.mu_per_m[45, 60] == np.float32(1.3)
    assert drawn.dark_field_per_m[52, 30] == np.float32(3.1)
    assert drawn.mu_per_m[65, 50] == np.float32(mu_per_m("water"))
    assert drawn.dark_field_per_m[65, 50] == 0
    assert drawn.mu_per_m[2, 50] == 0


@pytest.mark.parametrize(
    ("insert", "area_mm2"),
    [(FOAM, math.pi * 15**2), (WEDGE, 20.0 * 2 * 10.0 * 2 / 2)],
    ids=["disc", "wedge"],
)
@pytest.mark.parametrize("angle_deg", [0.0, 33.0])
def test_integrals_over_an_insert_are_its_area_times_its_coefficient(
    insert: Insert, area_mm2: float, angle_deg: float
) -> None:
    drawn = build_phantom([HOST, replace(insert, angle_deg=angle_deg)], 100, 2.0)
    found = float(drawn.dark_field_per_m.sum()) * 2.0**2
    assert found == pytest.approx(area_mm2 * insert.dark_field_per_m, rel=0.01)


def test_an_insert_beyond_the_field_of_view_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond the field of view of 100 mm"):
        build_phantom([HOST], 50, 2.0)


def test_an_empty_phantom_is_air_in_the_inscribed_circle() -> None:
    drawn = build_phantom([], 64, 4.0)
    assert not drawn.mu_per_m.any()
    assert drawn.air_mask.mean() == pytest.approx(math.pi / 4, abs=0.08)
    assert drawn.air_mask[0, 0] == 0
    assert drawn.air_mask[32, 32] == 1


@pytest.mark.parametrize("seed", range(6))
def test_drawn_phantoms_list_the_coefficients_that_they_have(seed: int) -> None:
    drawn = draw_insert_phantom(128, np.random.default_rng(seed))
    again = draw_insert_phantom(128, np.random.default_rng(seed))
    assert np.array_equal(drawn.mu_per_m, again.mu_per_m)
    listed = [float(v) for v in str(drawn.parameters["insert_dark_field_per_m"]).split()]
    assert 2 <= len(listed) <= 10
    for value in (v for v in listed if v):
        assert np.isclose(drawn.dark_field_per_m, value, rtol=1e-3).any()
    assert not (drawn.mu_per_m[drawn.air_mask == 1] > 0).any()
    assert not (drawn.dark_field_per_m[drawn.air_mask == 1] > 0).any()
    assert not drawn.lung_mask.any()
