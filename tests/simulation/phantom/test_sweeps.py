"""Swept cross-sections hold the volume that geometry says."""

import math

import pytest
import torch

from dfsynth.simulation.phantom.sweeps import Sweep, bend, fill_sweep, spread_evenly


def straight(length_mm: float, samples: int) -> torch.Tensor:
    share = (torch.arange(samples) + 0.5) / samples * length_mm
    return torch.stack([share, torch.zeros(samples), torch.zeros(samples)], dim=-1)[None]


def test_a_tube_holds_shell_and_core() -> None:
    path = straight(100.0, 200)
    up = torch.tensor([0.0, 0.0, 1.0]).expand_as(path)
    radius = torch.tensor(6.0)
    points, volumes = fill_sweep(Sweep(path, up, radius, radius, 0.8, 0.25), 0.5)
    expected = 100 * (2 * math.pi * 6 * 0.8 + 0.25 * math.pi * 36)
    assert float(volumes.sum()) == pytest.approx(expected, rel=0.01)
    assert float(points[:, 1:].norm(dim=1).max()) <= 6.001
    centre = (points * volumes[:, None]).sum(dim=0) / volumes.sum()
    assert torch.allclose(centre, torch.tensor([50.0, 0.0, 0.0]), atol=0.2)


def test_a_bent_curve_is_sampled_at_equal_steps() -> None:
    knots = torch.tensor([[[0.0, 0.0, 0.0], [10.0, 0.0, 5.0], [30.0, 0.0, 5.0]]])
    path = bend(knots, 50)
    steps = (path[:, 1:] - path[:, :-1]).norm(dim=-1)
    assert float(steps.max() / steps.min()) < 1.05


def test_spreading_keeps_a_line_straight() -> None:
    line = straight(10.0, 7)
    found = spread_evenly(line, 20)
    assert torch.allclose(found[..., 1:], torch.zeros(1, 20, 2))
    assert bool((found[0, 1:, 0] > found[0, :-1, 0]).all())
