"""The vertebrae: bodies with their endplates, and the arches behind them."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.sweeps import Sweep

CERVICAL = 6
"""How many of the vertebrae lie above the first thoracic one."""
_VERTEBRAE = 24


def vertebra_levels(
    body: BodyParameters, chest: Chest, rng: np.random.Generator
) -> NDArray[np.float64]:
    """s in mm of the vertebral bodies' centres, second cervical to sacrum, of shape (levels)."""
    mean = 0.132 * body.height_cm
    index = np.arange(_VERTEBRAE) - CERVICAL
    pitch = mean * np.clip(0.80 + 0.033 * index, 0.72, 1.25)
    first = chest.apex_s + rng.normal(4, 6)
    below = np.concatenate([[0.0], np.cumsum((pitch[1:] + pitch[:-1]) / 2)])
    return np.asarray(first + below[CERVICAL] - below)


def sweep_spine(
    body: BodyParameters,
    chest: Chest,
    levels: NDArray[np.float64],
    spacing_mm: float,
    rng: np.random.Generator,
) -> list[Sweep]:
    """All vertebrae, whose bodies' centres lie at `levels` (s in mm, falling)."""
    device = chest.back.values.device
    scale = body.height_cm / 176
    s = torch.tensor(levels, dtype=torch.float32, device=device)
    order = torch.arange(_VERTEBRAE, device=device) - CERVICAL
    depth = chest.back(s) + 20 * scale + (-order).clamp_min(0) * 3.5 * scale
    centre = torch.stack([torch.zeros_like(s), depth, s], dim=-1)
    jitter = rng.normal(0, 0.8, (_VERTEBRAE, 3))
    centre = centre + torch.tensor(jitter, dtype=torch.float32, device=device)
    size = (0.80 + 0.035 * order).clamp(0.72, 1.25) * scale
    pitch = -torch.gradient(s)[0]
    return [
        *_sweep_bodies(body, centre, size, pitch, spacing_mm),
        *_sweep_arches(centre, size, pitch, order, scale, spacing_mm),
    ]


def _line(start: torch.Tensor, end: torch.Tensor, samples: int) -> torch.Tensor:
    """Straight lines (n, samples, 3) between points (n, 3)."""
    share = (torch.arange(samples, device=start.device) + 0.5) / samples
    return torch.lerp(start[:, None], end[:, None], share[:, None])


def _offset(
    centre: torch.Tensor, lat: torch.Tensor | float, a: torch.Tensor | float, s: torch.Tensor
) -> torch.Tensor:
    zero = torch.zeros_like(s)
    return centre + torch.stack([zero + lat, zero + a, s], dim=-1)


def _sweep_bodies(
    body: BodyParameters,
    centre: torch.Tensor,
    size: torch.Tensor,
    pitch: torch.Tensor,
    spacing_mm: float,
) -> list[Sweep]:
    device = centre.device
    tall = 0.41 * pitch
    rows = math.ceil(24 / spacing_mm)
    path = _line(_offset(centre, 0, 0, -tall), _offset(centre, 0, 0, tall), rows)
    waist = 1 - 0.09 * torch.sin(math.pi * torch.linspace(0, 1, rows, device=device))[None]
    sideways = torch.tensor([1.0, 0.0, 0.0], device=device)
    wide = 17.5 * size[:, None] * waist
    cortex = 0.2 + 0.12 * body.rib_cortex_mm
    found = [
        Sweep(path, sideways.expand_as(path), wide, 0.78 * wide, cortex, 0.38 * body.bone_density)
    ]
    # Endplates: flat discs full of bone.
    for sign in (-1, 1):
        below, above = (_offset(centre, 0, 0, sign * tall + edge) for edge in (-0.6, 0.6))
        path = _line(below, above, 2)
        disc = 17.0 * size[:, None]
        found.append(Sweep(path, sideways.expand_as(path), disc, 0.78 * disc, 0.3, 0.32))
    return found


def _sweep_arches(
    centre: torch.Tensor,
    size: torch.Tensor,
    pitch: torch.Tensor,
    order: torch.Tensor,
    scale: float,
    spacing_mm: float,
) -> list[Sweep]:
    """Pedicles, transverse processes, laminae and spinous processes."""
    behind = -14 * size
    droop = 6 + 0.6 * order.clamp(0, 8)

    def at(lat: torch.Tensor | float, back: float, rise: float) -> torch.Tensor:
        return _offset(centre, lat, behind - back * scale, rise * pitch)

    tip = _offset(centre, 0, behind - 38 * scale, -0.3 * pitch - droop)
    # Start, end, half height, half thickness, share of bone inside.
    bars = [(at(0, 17, -0.2), tip, 6.5, 2.6, 0.12)]
    for side in (-1, 1):
        reach = side * 31 * size.clamp_max(scale)
        bars += [
            (at(side * 12.5 * size, -4, 0.18), at(side * 13.5 * size, 10, 0.14), 6.0, 4.2, 0.2),
            (at(side * 12 * size, 10, 0.10), at(reach, 19, 0.22), 5.5, 4.5, 0.15),
            (at(side * 13 * size, 11, 0.05), at(0, 17, -0.22), 8.0, 2.6, 0.12),
        ]
    samples = math.ceil(28 / spacing_mm)
    upward = torch.tensor([0.0, 0.0, 1.0], device=centre.device)
    half = size[:, None]
    found = []
    for start, end, high, thick, core in bars:
        path = _line(start, end, samples)
        found.append(
            Sweep(path, upward.expand_as(path), high * half, thick * half, 0.28, 0.7 * core)
        )
    return found
