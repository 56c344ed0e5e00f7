"""The bones of the chest: where they run, and how thick they are."""

import math

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.cartilage import sweep_cartilage
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.girdle import sweep_girdle
from dfsynth.simulation.phantom.spine import CERVICAL, sweep_spine, vertebra_levels
from dfsynth.simulation.phantom.sweeps import Sweep, bend, fill_sweep, spread_evenly

_RIB_FALL_MM = (38, 62, 84, 100, 112, 119, 123, 122, 114, 98, 66, 40)
"""From a rib's head down to its front end, ribs 1 to 12, at 176 cm [assumed]."""
_RIB_END = (0.80, 0.83, 0.82, 0.80, 0.785, 0.76, 0.73, 0.69, 0.63, 0.56, 0.42, 0.28)
"""Where the bony rib ends on its way around: 0 at the spine, 1 at the breast bone [assumed]."""
_RIB_GAP_MM = 6.3
"""Between the lung and the middle of a rib."""


def build_skeleton(
    body: BodyParameters,
    chest: Chest,
    spacing_mm: float,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (n, 3) as l, a, s in mm and volumes (n) in mm³ of all bones of `body`."""
    rng = np.random.default_rng([body.seed, 5])
    levels = vertebra_levels(body, chest, rng)
    ribs = _sweep_ribs(body, chest, levels, spacing_mm, rng, device)
    sweeps = [
        ribs,
        *sweep_cartilage(body, chest, ribs.path[:, -1], spacing_mm, rng),
        *sweep_spine(body, chest, levels, spacing_mm, rng),
        *_sweep_sternum(body, chest, spacing_mm, device),
        *sweep_girdle(body, chest, spacing_mm, rng, device),
    ]
    filled = [fill_sweep(sweep, spacing_mm) for sweep in sweeps]
    return torch.cat([f[0] for f in filled]), torch.cat([f[1] for f in filled])


def rib_paths(
    body: BodyParameters, chest: Chest, levels: np.ndarray, rng: np.random.Generator, samples: int
) -> torch.Tensor:
    """Middle lines (24, samples, 3) of the ribs, right 1 to 12, then left."""
    device = chest.width.values.device
    scale = body.height_cm / 176
    slope = body.rib_slope * (1 + 0.35 * (1 - body.inspiration))
    fall = np.asarray(_RIB_FALL_MM) * scale * slope * (1 + rng.normal(0, 0.03, 12))
    lift = rng.normal(0, 1.2, (2, 12))
    end = np.asarray(_RIB_END)[None] + rng.normal(0, 0.01, (2, 12))
    heads = torch.tensor(
        np.stack([levels[CERVICAL : CERVICAL + 12] + 4] * 2) + lift, dtype=torch.float32
    ).to(device)
    drop = torch.tensor(np.stack([fall, fall]), dtype=torch.float32, device=device)
    reach = torch.tensor(end, dtype=torch.float32, device=device)
    share = torch.linspace(0, 1, 96, device=device)
    start = 0.05
    theta = math.pi * (start + (reach[..., None] - start) * share)
    around = theta / math.pi
    # Nearly level behind, steep on the side, where all ribs of a real chest run almost down.
    turned = (1 - torch.cos(theta)) / 2
    falling = 0.42 * around + 0.58 * turned**2 * (3 - 2 * turned)
    neck = 4 * torch.sin(math.pi * (around / 0.2).clamp(0, 1))
    up = heads[..., None] - drop[..., None] * falling + neck
    half = chest.width(up) + _RIB_GAP_MM
    across = torch.sin(theta)
    middle = chest.widest_a(up)
    behind = middle - (middle - chest.back(up) + _RIB_GAP_MM) * (
        1 - across**chest.back_roundness
    ).clamp_min(0) ** (1 / chest.back_roundness)
    before = middle + (chest.front(up) - middle + _RIB_GAP_MM) * (
        1 - across**chest.front_roundness
    ).clamp_min(0) ** (1 / chest.front_roundness)
    forward = torch.where(theta < math.pi / 2, behind, before)
    # The neck of the rib comes back from the vertebral body, which lies before the gutters.
    left = (half * across).clamp_min(13 * scale)
    forward = forward + 13 * scale * torch.exp(-((left - 13 * scale) / (8 * scale)))
    sign = torch.tensor([-1.0, 1.0], device=device)[:, None, None]
    path = torch.stack([left * sign, forward, up], dim=-1).flatten(0, 1)
    return spread_evenly(path, samples)


def _sweep_ribs(
    body: BodyParameters,
    chest: Chest,
    levels: np.ndarray,
    spacing_mm: float,
    rng: np.random.Generator,
    device: torch.device,
) -> Sweep:
    samples = math.ceil(320 * body.height_cm / 176 / spacing_mm)
    path = rib_paths(body, chest, levels, rng, samples)
    share = torch.linspace(0, 1, samples, device=device)[None]
    size = torch.tensor(
        [0.75, 0.8, 0.92, 0.97, 1, 1.03, 1.05, 1.03, 1.0, 0.95, 0.85, 0.7] * 2, device=device
    )
    # Narrow at the neck, widest in front.
    height = (
        body.rib_height_mm / 2 * size[:, None] * (0.85 + 0.25 * share - 0.1 * (share - 0.5) ** 2)
    )
    # Flat on the side and in front, where the rib is a thin blade against the ray.
    thick = (4.6 - 2.9 * share) * size[:, None] * (body.rib_height_mm / 13)
    return Sweep(
        path,
        torch.tensor([0.0, 0.0, 1.0], device=device).expand_as(path),
        height,
        thick,
        body.rib_cortex_mm * (1.55 - 1.2 * share - 0.45 * torch.sin(math.pi * share)),
        body.bone_density,
    )


def _sweep_sternum(
    body: BodyParameters, chest: Chest, spacing_mm: float, device: torch.device
) -> list[Sweep]:
    scale = body.height_cm / 176
    sideways = torch.tensor([1.0, 0.0, 0.0], device=device)
    found = []
    for top, bottom, wide in (
        (0.13, 0.30, (27.0, 31.0, 24.0, 15.0)),
        (0.315, 0.66, (13.0, 14.0, 17.0, 12.0)),
    ):
        level = torch.linspace(chest.level(top), chest.level(bottom), 4, device=device)
        knots = torch.stack([torch.zeros_like(level), chest.front(level) + 9, level], dim=-1)[None]
        samples = math.ceil((chest.level(top) - chest.level(bottom)) / spacing_mm)
        path = bend(knots, samples)
        across = torch.tensor(wide, device=device)[None, None]
        half = torch.nn.functional.interpolate(across, samples, mode="linear", align_corners=True)[
            0
        ]
        found.append(
            Sweep(
                path,
                sideways.expand_as(path),
                half * scale,
                torch.tensor(5.0 * scale, device=device),
                0.7 * body.rib_cortex_mm,
                0.6 * body.bone_density,
            )
        )
    return found
