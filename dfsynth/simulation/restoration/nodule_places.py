"""Where in the lungs nodules lie."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.simulation.projection.anatomy import CoarseBody
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.restoration.nodules import Nodule

_COARSE_MM: Final = 5.0
_LUNG_SHARE: Final = 0.75
"""Least share of lung in a nodule's cube, vessels not counted [assumed]; or nearly the most."""
_APART_MM: Final = 6.0
"""Least gap between two nodules in the image."""
_INSIDE: Final = 0.92
"""Share of the half image within which middles lie: framing may cut the rest off."""


def place_nodules(
    nodules: Sequence[Nodule], body: CoarseBody, beam: ConeBeam, rng: np.random.Generator
) -> list[torch.Tensor]:
    """Middles (x, y, z) in mm, one for each nodule: in lung, in the image, and apart there.

    Every place in the lungs is as likely as another, those that heart and domes hide as well.

    Raises:
        ValueError: the image holds no lung.
    """
    grid, slab = body.coarse(_COARSE_MM)
    lung = slab.lung.cpu()
    places = _middles(grid, lung.shape)
    shown = _on_plane(places, beam)
    half = torch.tensor([beam.columns, beam.rows]) * beam.pixel_mm / 2 * _INSIDE
    usable = (lung.flatten() > 0.5) & (shown.abs() < half).all(dim=1)
    if not bool(usable.any()):
        raise ValueError("the image holds no lung for a nodule to lie in")
    found: list[torch.Tensor] = []
    for number, nodule in enumerate(nodules):
        radius = nodule.diameter_mm / 2
        apart = usable.clone()
        for middle, other in zip(found, nodules[:number], strict=True):
            gap = radius + other.diameter_mm / 2 + _APART_MM
            apart &= (shown - _on_plane(middle[None], beam)).norm(dim=1) > gap
        if not bool(apart.any()):
            apart = usable
        within = torch.where(apart, _share_within(lung, grid, radius).flatten(), -1.0)
        enough = min(_LUNG_SHARE, 0.95 * float(within.max()))
        choices = torch.nonzero(within >= enough).flatten()
        chosen = places[choices[int(rng.integers(len(choices)))]]
        jitter = torch.from_numpy(rng.uniform(-0.5, 0.5, 3).astype(np.float32))
        found.append(chosen + jitter * _COARSE_MM)
    return found


def _middles(grid: VoxelGrid, shape: torch.Size) -> torch.Tensor:
    """Of all voxels, (n, 3: x, y, z) in mm, plane by plane."""
    cpu = torch.device("cpu")
    y, z, x = torch.meshgrid(grid.y_mm(cpu), grid.z_mm(cpu), grid.x_mm(cpu), indexing="ij")
    return torch.stack([x, y, z], dim=-1).reshape(shape.numel(), 3)


def _on_plane(points_mm: torch.Tensor, beam: ConeBeam) -> torch.Tensor:
    """Where rays through points (n, 3) meet the plane y = 0: (n, 2: x, z), from the middle."""
    centre = torch.tensor([beam.centre_x_mm, beam.centre_z_mm])
    return (points_mm[:, [0, 2]] - centre) * beam.magnification(points_mm[:, 1])[:, None]


def _share_within(lung: torch.Tensor, grid: VoxelGrid, radius_mm: float) -> torch.Tensor:
    """Mean of `lung` in a cube about each voxel as wide as a nodule."""
    half = [round(radius_mm / step) for step in (grid.step_y_mm, grid.step_z_mm, grid.step_x_mm)]
    size = [2 * h + 1 for h in half]
    return F.avg_pool3d(lung[None, None], size, 1, half)[0, 0]
