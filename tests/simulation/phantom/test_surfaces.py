"""Solids against the formulas of the bodies that they are."""

import math

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom.surfaces import Capsule, Curve, Ellipsoid, Shape, blend

STEP_MM = 0.5
AXIS = torch.arange(-80, 80, STEP_MM)


def volume_mm3(solid: Shape) -> float:
    found = solid.solid(AXIS[None], AXIS[:, None])
    return float((found.front - found.back).sum()) * STEP_MM**2


def test_a_turned_ellipsoid_keeps_its_volume() -> None:
    body = Ellipsoid((5.0, 30.0, -4.0), (40.0, 20.0, 25.0), tilt_deg=35.0)
    assert volume_mm3(body) == pytest.approx(4 / 3 * math.pi * 40 * 20 * 25, rel=2e-3)


def test_a_tube_is_a_cylinder_with_round_ends() -> None:
    tube = Capsule((-20.0, 0.0, 0.0), (20.0, 15.0, 10.0), 9.0, 9.0)
    length = math.hypot(40, 10)
    expected = math.pi * 81 * length + 4 / 3 * math.pi * 729
    assert volume_mm3(tube) == pytest.approx(expected, rel=5e-3)


def test_a_blend_holds_its_parts_and_little_more() -> None:
    parts = [
        Ellipsoid((x, 0.0, 0.0), (20.0, 20.0, 20.0)).solid(AXIS[None], AXIS[:, None])
        for x in (-12.0, 12.0)
    ]
    found = blend(parts, 40.0)
    assert all(bool((found.square >= part.square - 1e-3).all()) for part in parts)
    assert float(found.square.max()) < 400 + 40 * math.log(2) + 1e-3


def test_a_curve_goes_through_its_knots() -> None:
    at, values = np.array([0.0, 10.0, 35.0]), np.array([1.0, 4.0, 2.0])
    curve = Curve.through(at, values, torch.device("cpu"))
    found = curve(torch.tensor([-5.0, 0.0, 10.0, 35.0, 50.0]))
    assert torch.allclose(found, torch.tensor([1.0, 1.0, 4.0, 2.0, 2.0]), atol=0.02)
