"""Ground glass and consolidation: lung that is partly or wholly flooded."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch

from dfsynth.simulation.projection.beam import VoxelGrid
from dfsynth.simulation.tissue.field import gaussian_field

OpacityKind: TypeAlias = Literal["none", "ground_glass", "consolidation"]

PATIENT_SHARE: Final = 0.25
"""Patients with any opacity [assumed]."""
_RIM_MM: Final = 15.0


@dataclass(frozen=True, slots=True)
class OpacityParameters:
    """One patient's opacities."""

    kind: OpacityKind
    patches: int
    radius_mm: tuple[float, float]
    """Least and greatest radius of a patch."""
    density: float
    """Of the flooded lung over water's, 0 to 1."""
    coefficient_factor: float
    """What is left of the coefficient at the core of a patch by lost surfaces alone; lung that
    is dense enough to hold no air loses the rest (Sung et al., 2025: all such changes lower D)."""
    peripheral_preference: float
    """0: anywhere; 1: beneath the pleura, as in viral pneumonia."""


NO_OPACITY: Final = OpacityParameters("none", 0, (0.0, 0.0), 0.0, 1.0, 0.0)


def draw_opacities(rng: np.random.Generator) -> OpacityParameters:
    """Draws none, ground-glass patches, or one to three consolidations [assumed].

    One consolidation in four takes a whole lobe or more.
    """
    chance, kind, extent = rng.random(), rng.random(), rng.random()
    factor = float(rng.uniform(0.2, 0.7))
    if chance >= PATIENT_SHARE:
        return NO_OPACITY
    if kind < 0.55:
        return OpacityParameters(
            kind="ground_glass",
            patches=int(rng.integers(2, 10)),
            radius_mm=(10.0, 40.0),
            density=float(rng.uniform(0.35, 0.65)),
            coefficient_factor=factor,
            peripheral_preference=float(rng.uniform(0.4, 1.0)),
        )
    return OpacityParameters(
        kind="consolidation",
        patches=int(rng.integers(1, 4)),
        radius_mm=(60.0, 110.0) if extent < 0.25 else (15.0, 55.0),
        density=float(rng.uniform(0.8, 1.0)),
        coefficient_factor=factor,
        peripheral_preference=float(rng.uniform(0.0, 0.6)),
    )


def flooded_lung(
    parameters: OpacityParameters, grid: VoxelGrid, lung: torch.Tensor, rng: np.random.Generator
) -> torch.Tensor:
    """How far lung is flooded, 0 to 1, (planes, rows, columns), on the coarse `grid`.

    `lung` is the share of lung there.
    """
    flooded = torch.zeros_like(lung)
    inside = torch.nonzero(lung > 0.5)
    if parameters.kind == "none" or len(inside) == 0:
        return flooded
    depth = _share_around(lung, grid)[tuple(inside.T)]
    weight = (1 - depth).clamp_min(0.02) ** (3 * parameters.peripheral_preference)
    share = weight.double().numpy()
    chosen = rng.choice(len(inside), parameters.patches, p=share / share.sum())
    ragged = 0.35 * gaussian_field(grid, 12.0, rng)
    cpu = torch.device("cpu")
    x, y, z = grid.x_mm(cpu), grid.y_mm(cpu), grid.z_mm(cpu)
    for centre in inside[chosen]:
        radii = rng.uniform(*parameters.radius_mm) * rng.uniform(0.6, 1.4, 3)
        distance = (
            ((y - y[centre[0]]) / radii[0]).square()[:, None, None]
            + ((z - z[centre[1]]) / radii[1]).square()[None, :, None]
            + ((x - x[centre[2]]) / radii[2]).square()[None, None, :]
        ).sqrt()
        flooded = torch.maximum(flooded, torch.sigmoid((1 + ragged - distance) / 0.12))
    return flooded


def _share_around(lung: torch.Tensor, grid: VoxelGrid) -> torch.Tensor:
    """Mean of `lung` in a cube about each voxel: 1 deep inside, about a half at the pleura."""
    half = [
        max(1, round(_RIM_MM / step)) for step in (grid.step_y_mm, grid.step_z_mm, grid.step_x_mm)
    ]
    size = [2 * h + 1 for h in half]
    return torch.nn.functional.avg_pool3d(lung[None, None], size, 1, half)[0, 0]
