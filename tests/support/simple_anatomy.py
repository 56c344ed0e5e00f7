"""A body of three ellipsoids: a trunk of water and two lungs."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from dfsynth.simulation.projection.anatomy import Elements, Slab
from dfsynth.simulation.projection.beam import VoxelGrid

CPU = torch.device("cpu")
LUNG_SEMI_AXES_MM = (52.0, 70.0, 110.0)


@dataclass(frozen=True)
class SimpleAnatomy:
    """Implements `dfsynth.simulation.projection.anatomy.Anatomy`; two lungs of 1.68 l each."""

    step_mm: float = 4.0
    density: float = 0.2
    inflation: float = 1.0
    healthy_density: float | None = None

    @property
    def grid(self) -> VoxelGrid:
        return cubes(self.step_mm)

    @property
    def bones(self) -> Elements:
        return Elements.none(CPU)

    @property
    def vessels(self) -> Elements:
        return Elements.none(CPU)

    def slabs(self, planes: int) -> Iterator[Slab]:
        for first in range(0, self.grid.planes, planes):
            yield slab_of(self.grid, first, min(planes, self.grid.planes - first), self.density)

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        grid = cubes(step_mm)
        return grid, slab_of(grid, 0, grid.planes, self.density)


def cubes(step_mm: float) -> VoxelGrid:
    half = [round(extent / step_mm) for extent in (100.0, 150.0, 170.0)]
    edges = [h * step_mm for h in half]
    planes, rows, columns = (2 * h + 1 for h in half)
    return VoxelGrid(
        planes, rows, columns, -edges[0], edges[1], -edges[2], step_mm, step_mm, step_mm
    )


def slab_of(grid: VoxelGrid, first: int, planes: int, density: float) -> Slab:
    trunk = ellipsoid(grid, first, planes, (160.0, 95.0, 145.0), 0.0)
    lungs = sum(ellipsoid(grid, first, planes, LUNG_SEMI_AXES_MM, x) for x in (-72.0, 72.0))
    assert isinstance(lungs, torch.Tensor)
    return Slab(
        first=first,
        soft=(trunk - lungs).clamp(0, 1),
        bone=torch.zeros_like(trunk),
        lung=lungs,
        lung_density=torch.full_like(trunk, density),
        cover=torch.zeros_like(trunk),
    )


def ellipsoid(
    grid: VoxelGrid, first: int, planes: int, semi_mm: tuple[float, float, float], x_mm: float
) -> torch.Tensor:
    """Shares of voxels, with an edge about a voxel wide."""
    x = (grid.x_mm(CPU) - x_mm)[None, None, :] / semi_mm[0]
    y = grid.y_mm(CPU)[first : first + planes, None, None] / semi_mm[1]
    z = grid.z_mm(CPU)[None, :, None] / semi_mm[2]
    distance_mm = (1 - (x**2 + y**2 + z**2).sqrt()) * min(semi_mm)
    return (0.5 + distance_mm / grid.step_x_mm).clamp(0, 1)
