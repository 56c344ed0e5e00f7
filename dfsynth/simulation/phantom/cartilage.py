"""Costal cartilage: unseen when young, blotched with calcium later in life."""

import math

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.sweeps import Sweep, bend

_JOINTS = (0.165, 0.30, 0.37, 0.435, 0.495, 0.55, 0.60)
"""Where the cartilage of ribs 1 to 7 meets the breast bone: fractions of the way from the apex
down to the costophrenic angle [assumed]."""
_FIRST_RIB = 2.2
"""Calcium of the first rib's cartilage over the others': it is the first to harden."""


def sweep_cartilage(
    body: BodyParameters,
    chest: Chest,
    rib_ends: torch.Tensor,
    spacing_mm: float,
    rng: np.random.Generator,
) -> list[Sweep]:
    """From the bony ribs' ends, (24, 3) as l, a, s in mm, to the breast bone."""
    blotches = rng.random((14, 12))
    if not body.cartilage_calcium:
        return []
    device = rib_ends.device
    scale = body.height_cm / 176
    start = torch.cat([rib_ends[:7], rib_ends[12:19]])
    level = torch.tensor([chest.level(joint) for joint in _JOINTS] * 2, device=device)
    side = torch.sign(start[:, 0])
    end = torch.stack([side * 17 * scale, chest.front(level) + 8, level], dim=-1)
    middle = torch.lerp(start, end, 0.45)
    # Out with the wall of the chest, and down before it rises to the breast bone.
    middle = middle + torch.tensor([0.0, 7.0, -7.0], device=device) * scale
    length = float((end - start).norm(dim=-1).max())
    path = bend(torch.stack([start, middle, end], dim=1), max(6, math.ceil(length / spacing_mm)))
    amount = np.clip(1.6 * blotches - 0.7, 0, None) ** 1.5 * body.cartilage_calcium
    amount[:, 0] += 0.6 * body.cartilage_calcium
    amount[[0, 7]] *= _FIRST_RIB
    shell = torch.nn.functional.interpolate(
        torch.tensor(amount, dtype=torch.float32, device=device)[None],
        path.shape[1],
        mode="linear",
        align_corners=True,
    )[0]
    up = torch.tensor([0.0, 0.0, 1.0], device=device).expand_as(path)
    half = torch.tensor(0.42 * body.rib_height_mm, device=device)
    return [Sweep(path, up, half, 0.6 * half, shell, 0.0)]
