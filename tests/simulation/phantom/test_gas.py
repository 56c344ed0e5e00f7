"""Gas lies below the domes and in no lung."""

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom.body_shape import draw_body
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.gas import Bubble, shape_gas

CPU = torch.device("cpu")


@pytest.mark.parametrize("seed", range(10))
def test_the_stomachs_bubble_lies_right_below_the_left_dome(seed: int) -> None:
    body = draw_body(np.random.default_rng(seed))
    chest = shape_chest(body, CPU)
    found = shape_gas(body, chest, np.random.default_rng(seed))
    bubbles = [shape for shape in found if isinstance(shape, Bubble)]
    assert len(bubbles) == int(body.stomach_gas_mm > 0)
    lat = torch.linspace(-200, 200, 201)
    up = torch.linspace(chest.base_s - 150, chest.apex_s, 400)[:, None]
    for bubble in bubbles:
        there = bubble.solid(lat[None], up).square > 0
        floor = chest.floor(lat, torch.full_like(lat, bubble.centre_a))
        highest = torch.where(there, up, torch.tensor(-1e4)).amax(dim=0)
        columns = there.any(dim=0)
        assert bool(columns.any())
        assert bool((lat[columns] > 0).all())
        gap = floor[columns] - highest[columns]
        assert float(gap.min()) > 2
        assert float(gap.min()) < 14


def test_a_body_without_gas_has_none() -> None:
    body = next(
        b
        for b in (draw_body(np.random.default_rng(seed)) for seed in range(400))
        if b.stomach_gas_mm == 0 and b.bowel_loops == 0
    )
    assert shape_gas(body, shape_chest(body, CPU), np.random.default_rng(0)) == ()
