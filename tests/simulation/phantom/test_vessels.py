"""Vessels lie in the lungs, thick at the hila and absent near the surface."""

import numpy as np
import pytest
import torch
from other_device import DEVICE, OtherDevice

from dfsynth.simulation.phantom.body_shape import draw_body
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.organs import shape_organs
from dfsynth.simulation.phantom.vessels import grow_vessels, in_lung

CPU = torch.device("cpu")


@pytest.mark.parametrize("seed", range(6))
def test_vessels_run_inside_the_lungs(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    chest = shape_chest(body, CPU)
    organs = shape_organs(body, chest)
    points, volumes = grow_vessels(body, chest, organs, 1.2, CPU)
    inside = in_lung(chest, organs, points)
    assert float(volumes[inside].sum() / volumes.sum()) > 0.93
    for side in (points[:, 0] < 0, points[:, 0] > 0):
        # 20 to 150 ml a lung, of those that the voxels do not hold.
        assert 8 < float(volumes[side].sum()) / 1000 < 200


def test_vessels_are_densest_at_the_hila() -> None:
    body = draw_body(np.random.default_rng(1))
    chest = shape_chest(body, CPU)
    organs = shape_organs(body, chest)
    points, volumes = grow_vessels(body, chest, organs, 1.2, CPU)
    density = []
    for low, high in ((0.0, 45.0), (45.0, 90.0), (90.0, 200.0)):
        amount = 0.0
        for hilum in organs.hila:
            away = (points - torch.tensor(hilum)).norm(dim=1)
            mine = points[:, 0] * hilum[0] > 0
            amount += float(volumes[mine & (away > low) & (away <= high)].sum())
        density.append(amount / (high**3 - low**3))
    assert density[0] > 3 * density[1] > 3 * density[2]


def test_a_lung_too_thin_for_vessels_has_few_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfsynth.simulation.phantom.vessels._PLEURA_MM", 500.0)
    body = draw_body(np.random.default_rng(3))
    with OtherDevice():
        chest = shape_chest(body, DEVICE)
        points, volumes = grow_vessels(body, chest, shape_organs(body, chest), 2.0, DEVICE)
    assert len(points) == len(volumes)
    assert bool(torch.isfinite(points).all())
