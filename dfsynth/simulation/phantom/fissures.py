"""The minor fissure: a sheet of pleura that shows as a line where the beam runs along it."""

import math

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.organs import Organs
from dfsynth.simulation.phantom.vessels import in_lung

_DEPTH_MM = 90.0
"""Extent along the beam."""


def spread_fissure(
    body: BodyParameters,
    chest: Chest,
    organs: Organs,
    spacing_mm: float,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (n, 3) as l, a, s in mm and volumes (n) in mm³; none where the sheet is too thin."""
    rng = np.random.default_rng([body.seed, 7])
    tilt, fall, sag = rng.normal(0, 0.07), rng.normal(0.06, 0.07), rng.normal(5, 4)
    hilum = organs.hila[0]
    wide = 0.5 * body.chest_width_mm + hilum[0]
    if not body.fissure_mm:
        return torch.zeros(0, 3, device=device), torch.zeros(0, device=device)
    columns, rows = math.ceil(wide / spacing_mm), math.ceil(_DEPTH_MM / (2 * spacing_mm))
    out = (torch.arange(columns, device=device) + 0.5) / columns
    along = ((torch.arange(rows, device=device) + 0.5) / rows)[:, None]
    lat = hilum[0] - wide * out
    forward = hilum[1] - 10 + _DEPTH_MM * along
    arch = sag * (torch.sin(math.pi * out) + 2.0 * (along - 0.5) ** 2)
    up = hilum[2] + 4 + arch - fall * wide * out + tilt * (forward - hilum[1])
    points = torch.stack(torch.broadcast_tensors(lat, forward, up), dim=-1).reshape(-1, 3)
    inside = in_lung(chest, organs, points)
    volume = wide * _DEPTH_MM / (rows * columns) * body.fissure_mm
    return points[inside], torch.full((int(inside.sum()),), volume, device=device)
