"""A body with nodules in its lungs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch

from dfsynth.simulation.projection.anatomy import Anatomy, Elements, Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.projection.projector import project
from dfsynth.simulation.restoration.nodules import NoduleShape

_FINE_MM: Final = 0.7
"""Widest distance of the points by which a voxel's share is counted."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedNodule:
    """A nodule in the world."""

    shape: NoduleShape
    middle_mm: torch.Tensor
    """(3): x, y, z."""
    density: float
    """Over water's."""


class NoduledBody:
    """An `Anatomy` in which nodules take the place of lung parenchyma, and of nothing else.

    What vessels, pleura and chest wall fill stays, so that a nodule that reaches them is cut off.
    """

    def __init__(self, body: Anatomy, nodules: Sequence[PlacedNodule], beam: ConeBeam) -> None:
        self._body = body
        self._nodules = tuple(nodules)
        self._beam = beam
        self.paths_mm = torch.zeros(len(nodules), beam.rows, beam.columns)
        """(nodule, y, x): path of each ray in each nodule, as far as slabs were taken."""

    @property
    def grid(self) -> VoxelGrid:
        """See `Anatomy`."""
        return self._body.grid

    @property
    def inflation(self) -> float:
        """See `Anatomy`."""
        return self._body.inflation

    @property
    def healthy_density(self) -> float | None:
        """See `Anatomy`."""
        return self._body.healthy_density

    @property
    def bones(self) -> Elements:
        """See `Anatomy`."""
        return self._body.bones

    @property
    def vessels(self) -> Elements:
        """See `Anatomy`."""
        return self._body.vessels

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """See `Anatomy`; without the nodules, which lie within lung."""
        return self._body.coarse(step_mm)

    def slabs(self, planes: int) -> Iterator[Slab]:
        """See `Anatomy`; adds up `paths_mm` from 0."""
        self.paths_mm.zero_()
        for slab in self._body.slabs(planes):
            soft, lung = slab.soft.clone(), slab.lung.clone()
            for number, nodule in enumerate(self._nodules):
                box = nodule_box(nodule, self.grid, slab.first, len(lung))
                if box is None:
                    continue
                share = nodule_share(nodule, box, self.grid, slab.first).to(lung.device)
                taken = share * lung[box]
                lung[box] -= taken
                soft[box] += nodule.density * taken
                first, part = _part_grid(box, self.grid, slab.first)
                self.paths_mm[number] += project(taken[None], first, part, self._beam)[0].cpu()
            yield replace(slab, soft=soft, lung=lung)


Box = tuple[slice, slice, slice]
"""Planes, rows and columns of a slab."""


def nodule_box(nodule: PlacedNodule, grid: VoxelGrid, first: int, planes: int) -> Box | None:
    """The voxels of a slab that may hold a part of a nodule and one around; None where none do."""
    x, y, z = nodule.middle_mm.tolist()
    reach = nodule.shape.reach_mm
    ends = (
        ((y - grid.first_y_mm) / grid.step_y_mm - first, reach / grid.step_y_mm, planes),
        ((grid.top_z_mm - z) / grid.step_z_mm, reach / grid.step_z_mm, grid.rows),
        ((x - grid.left_x_mm) / grid.step_x_mm, reach / grid.step_x_mm, grid.columns),
    )
    found = [
        slice(max(math.floor(middle - half) - 1, 0), min(math.ceil(middle + half) + 2, count))
        for middle, half, count in ends
    ]
    if any(part.stop - part.start < least for part, least in zip(found, (1, 2, 2), strict=True)):
        return None
    planes_of, rows, columns = found
    return planes_of, rows, columns


def nodule_share(nodule: PlacedNodule, box: Box, grid: VoxelGrid, first: int) -> torch.Tensor:
    """Share of each voxel of a box that lies in the nodule, (planes, rows, columns), 0 to 1."""
    cpu = torch.device("cpu")
    y = grid.y_mm(cpu)[first + box[0].start : first + box[0].stop]
    axes = (y, grid.z_mm(cpu)[box[1]], grid.x_mm(cpu)[box[2]])
    fine = [
        _finer(axis, step)
        for axis, step in zip(axes, (grid.step_y_mm, grid.step_z_mm, grid.step_x_mm), strict=True)
    ]
    ys, zs, xs = torch.meshgrid(*(points for points, _ in fine), indexing="ij")
    inside = nodule.shape.share(torch.stack([xs, ys, zs], dim=-1) - nodule.middle_mm)
    size = [count for _, count in fine]
    return torch.nn.functional.avg_pool3d(inside[None, None], size)[0, 0]


def _finer(axis_mm: torch.Tensor, step_mm: float) -> tuple[torch.Tensor, int]:
    """Points that divide voxels of width `step_mm` evenly; how many a voxel."""
    count = max(1, math.ceil(step_mm / _FINE_MM))
    within = ((torch.arange(count) + 0.5) / count - 0.5) * step_mm
    return (axis_mm[:, None] + within).flatten(), count


def _part_grid(box: Box, grid: VoxelGrid, first: int) -> tuple[int, VoxelGrid]:
    """The first plane of a box, and its rows and columns, as `project` takes them."""
    _, rows, columns = box
    part = replace(
        grid,
        rows=rows.stop - rows.start,
        columns=columns.stop - columns.start,
        top_z_mm=grid.top_z_mm - rows.start * grid.step_z_mm,
        left_x_mm=grid.left_x_mm + columns.start * grid.step_x_mm,
    )
    return first + box[0].start, part
