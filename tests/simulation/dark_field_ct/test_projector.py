"""Projections of discs and ellipses against their chords."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from ellipses import Ellipse, draw_ellipses, line_integrals

from dfsynth.errors import UsageError
from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.projector import project
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings

CPU = torch.device("cpu")
SIDE, PIXEL_MM = 128, 3.0
DISC = Ellipse(0.0, 0.0, 90.0, 90.0, 2.5)
LUNG = Ellipse(55.0, -40.0, 50.0, 85.0, 2.5)


def geometry(beam: str, **changes: Any) -> ScanGeometry:
    return ScanGeometry.of(
        ScanSettings(beam=beam, shots_per_rotation=90, **changes), SIDE, PIXEL_MM
    )


@pytest.mark.parametrize("beam", ["parallel", "fan"])
@pytest.mark.parametrize("ellipse", [DISC, LUNG])
def test_rays_are_as_long_as_chords(beam: str, ellipse: Ellipse) -> None:
    rays = geometry(beam)
    drawn = draw_ellipses([ellipse], SIDE, PIXEL_MM)
    (found,) = project(torch.from_numpy(drawn)[None], rays).numpy()
    expected = line_integrals(ellipse, rays)
    assert found.shape == expected.shape == (90, SIDE)
    assert np.abs(found - expected).mean() < 0.005 * expected.max()
    thick = expected > 0.5 * expected.max()
    assert found[thick] == pytest.approx(expected[thick], rel=0.04)
    # Every parallel view sees the whole object.
    if rays.parallel:
        areas = found.sum(axis=1) * PIXEL_MM / 1000
        assert areas == pytest.approx(
            2.5 * math.pi * ellipse.semi_x * ellipse.semi_y * 1e-6, rel=2e-3
        )


def test_maps_are_projected_each_for_itself() -> None:
    maps = torch.from_numpy(
        np.stack([draw_ellipses([one], SIDE, PIXEL_MM) for one in (DISC, LUNG)])
    )
    rays = geometry("fan")
    both = project(maps, rays)
    assert torch.equal(both[:1], project(maps[:1], rays))
    assert torch.equal(both[1:], project(maps[1:], rays))


def test_a_distant_focus_gives_a_parallel_beam() -> None:
    lung = torch.from_numpy(draw_ellipses([LUNG], SIDE, PIXEL_MM))[None]
    fan = project(lung, geometry("fan", source_to_centre_mm=1e7))
    assert fan.numpy() == pytest.approx(project(lung, geometry("parallel")).numpy(), abs=2e-3)


def test_the_detector_sees_the_inscribed_circle_and_no_more() -> None:
    radius_mm = SIDE * PIXEL_MM / 2
    fan = geometry("fan", detector_pixels=200)
    angle = math.atan(fan.half_detector_mm / 600)
    assert 600 * math.sin(angle) == pytest.approx(radius_mm)
    assert len(fan.detector_mm(CPU)) == 200
    assert geometry("parallel").half_detector_mm == radius_mm


def test_a_focus_inside_the_slice_is_refused() -> None:
    with pytest.raises(UsageError, match=r"source_to_centre_mm is 250.*raise source_to_centre_mm"):
        geometry("fan", source_to_centre_mm=250.0)
