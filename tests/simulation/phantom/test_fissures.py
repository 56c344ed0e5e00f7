"""The fissure is a thin sheet of the right lung, where it is seen at all."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom.body_shape import draw_body
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.fissures import spread_fissure
from dfsynth.simulation.phantom.organs import shape_organs
from dfsynth.simulation.phantom.vessels import in_lung

CPU = torch.device("cpu")


@pytest.mark.parametrize("seed", range(6))
def test_the_fissure_lies_in_the_right_lung(seed: int) -> None:
    body = replace(draw_body(np.random.default_rng(seed)), fissure_mm=0.5)
    chest = shape_chest(body, CPU)
    organs = shape_organs(body, chest)
    points, volumes = spread_fissure(body, chest, organs, 1.5, CPU)
    assert bool((points[:, 0] < 0).all())
    assert bool(in_lung(chest, organs, points).all())
    # Half a millimetre of pleura on at most 2 dm².
    assert 200 < float(volumes.sum()) < 10_000


def test_a_fissure_that_is_not_seen_has_no_points() -> None:
    body = replace(draw_body(np.random.default_rng(1)), fissure_mm=0.0)
    chest = shape_chest(body, CPU)
    points, volumes = spread_fissure(body, chest, shape_organs(body, chest), 1.5, CPU)
    assert points.shape == (0, 3)
    assert volumes.shape == (0,)
