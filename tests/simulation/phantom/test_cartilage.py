"""Cartilage closes the way from the bony ribs to the breast bone, and hardens with age."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters, draw_body
from dfsynth.simulation.phantom.cartilage import sweep_cartilage
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.skeleton import rib_paths
from dfsynth.simulation.phantom.spine import vertebra_levels
from dfsynth.simulation.phantom.sweeps import Sweep, fill_sweep

CPU = torch.device("cpu")


def cartilage(body: BodyParameters) -> tuple[torch.Tensor, list[Sweep]]:
    chest = shape_chest(body, CPU)
    rng = np.random.default_rng(0)
    ends = rib_paths(body, chest, vertebra_levels(body, chest, rng), rng, 80)[:, -1]
    return ends, sweep_cartilage(body, chest, ends, 1.5, rng)


@pytest.mark.parametrize("seed", range(4))
def test_it_runs_from_the_ribs_to_the_breast_bone(seed: int) -> None:
    body = replace(draw_body(np.random.default_rng(seed)), cartilage_calcium=0.3)
    ends, (sweep,) = cartilage(body)
    first, last = sweep.path[:, 0], sweep.path[:, -1]
    assert bool(((first - torch.cat([ends[:7], ends[12:19]])).norm(dim=-1) < 3).all())
    assert bool((last[:, 0].abs() < 25).all())
    assert bool((last[:, 0] * first[:, 0] > 0).all())


def test_calcium_grows_with_its_parameter_and_is_none_in_the_young() -> None:
    body = draw_body(np.random.default_rng(2))
    amounts = []
    for calcium in (0.0, 0.1, 0.3):
        _, sweeps = cartilage(replace(body, cartilage_calcium=calcium))
        amounts.append(sum(float(fill_sweep(sweep, 1.5)[1].sum()) for sweep in sweeps))
    assert amounts[0] == 0
    assert amounts[2] == pytest.approx(3 * amounts[1], rel=1e-3)
    assert 100 < amounts[2] < 20_000
