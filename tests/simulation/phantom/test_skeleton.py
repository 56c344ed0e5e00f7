"""Bones lie around the lungs, never in them."""

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom.body_shape import draw_body
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.organs import shape_organs
from dfsynth.simulation.phantom.skeleton import build_skeleton, rib_paths
from dfsynth.simulation.phantom.spine import vertebra_levels
from dfsynth.simulation.phantom.vessels import in_lung

CPU = torch.device("cpu")


@pytest.mark.parametrize("seed", range(8))
def test_ribs_run_outside_the_lungs(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    chest = shape_chest(body, CPU)
    rng = np.random.default_rng(0)
    path = rib_paths(body, chest, vertebra_levels(body, chest, rng), rng, 80)
    inside = in_lung(chest, shape_organs(body, chest), path.flatten(0, 1))
    assert float(inside.float().mean()) < 0.004


@pytest.mark.parametrize("seed", range(8))
def test_no_bone_is_deep_in_the_lung(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    chest = shape_chest(body, CPU)
    points, volumes = build_skeleton(body, chest, 2.0, CPU)
    inside = in_lung(chest, shape_organs(body, chest), points)
    assert float(volumes[inside].sum() / volumes.sum()) < 0.01
    assert bool(torch.isfinite(points).all())
    assert float(volumes.min()) >= 0


def test_ribs_fall_from_the_spine_to_the_front() -> None:
    body = draw_body(np.random.default_rng(2))
    chest = shape_chest(body, CPU)
    rng = np.random.default_rng(0)
    path = rib_paths(body, chest, vertebra_levels(body, chest, rng), rng, 60)
    assert path.shape == (24, 60, 3)
    assert bool((path[:, 0, 2] > path[:, -1, 2]).all())
    assert bool((path[1:9, 0, 2] > path[1:9, -1, 2] + 30).all())
    # Right ribs first; each starts behind and ends further forward.
    assert bool((path[:12, :, 0] < 0).all())
    assert bool((path[12:, :, 0] > 0).all())
    assert bool((path[:10, -1, 1] > path[:10, 0, 1]).all())


def test_the_amount_of_bone_does_not_depend_on_the_spacing() -> None:
    body = draw_body(np.random.default_rng(3))
    chest = shape_chest(body, CPU)
    amounts = [float(build_skeleton(body, chest, mm, CPU)[1].sum()) for mm in (0.8, 2.0)]
    assert amounts[0] == pytest.approx(amounts[1], rel=0.03)
    # All the bone of a chest and its shoulders, in cm³ of cortical bone.
    assert 150 < amounts[0] / 1000 < 1200
