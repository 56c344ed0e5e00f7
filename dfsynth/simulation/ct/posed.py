"""A posed CT thorax in front of the beam."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from dfsynth.simulation.ct.extension import extend_body, mirror_row
from dfsynth.simulation.ct.placement import (
    LOG_DENSITY,
    NEAR,
    NEAR_LUNG,
    PlacedGrid,
    place,
    resolve_inflation,
    rib_cage_mm,
)
from dfsynth.simulation.ct.pose import CtPose
from dfsynth.simulation.ct.thorax import CtThorax
from dfsynth.simulation.ct.tissues import LUNG
from dfsynth.simulation.projection.anatomy import Elements, Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid

_STEP_RANGE_MM = (1.0, 2.0)
_FINER_THAN_SCAN = 0.75
"""Smallest step over the scan's cubes; below it there is time to lose and no detail to win."""
_DEPTH_STEP_RANGE_MM = (2.5, 4.0)
_DEPTH_STEP_PIXELS = 3
_FULL_DENSITY = 0.15
"""Of healthy parenchyma at full inspiration, over water's: f0 of the scattering model."""
_MARGIN_MM = 12.0


class CtAnatomy:
    """A CT volume in one pose, resampled plane by plane; an `Anatomy`.

    Bones and vessels are in the voxels, so `bones` and `vessels` are empty. Beyond the first and
    the last slice the body goes on as its mirror image, tapered to a neck above and with lung that
    peters out below [assumed], so that the image does not end where the scan did.
    """

    def __init__(self, thorax: CtThorax, pose: CtPose, beam: ConeBeam) -> None:
        self._thorax = thorax
        half_size_mm = _half_size_mm(thorax, pose, beam)
        self._placement = place(thorax, pose, half_size_mm)
        detail_mm = max(beam.pixel_mm, _FINER_THAN_SCAN * thorax.step_mm)
        step_mm = min(max(detail_mm, _STEP_RANGE_MM[0]), _STEP_RANGE_MM[1])
        self._grid = _centred_grid(half_size_mm, step_mm, _depth_step_mm(beam))
        self._half_size_mm = half_size_mm
        self._pose = pose

    @property
    def grid(self) -> VoxelGrid:
        """See `Anatomy`."""
        return self._grid

    @property
    def inflation(self) -> float:
        """By the healthy density: 1 where it is that of a full inspiration or less."""
        return min(1.0, _FULL_DENSITY / self.healthy_density)

    @property
    def healthy_density(self) -> float:
        """See `Anatomy`."""
        return self._thorax.healthy_density / self._pose.inflation

    @property
    def bones(self) -> Elements:
        """See `Anatomy`; there are none beside the voxels."""
        return Elements.none(self._thorax.fields.device)

    @property
    def vessels(self) -> Elements:
        """See `Anatomy`; there are none beside the voxels."""
        return Elements.none(self._thorax.fields.device)

    def slabs(self, planes: int) -> Iterator[Slab]:
        """See `Anatomy`."""
        view = self._placement.spread(self._grid)
        for first in range(0, self._grid.planes, planes):
            count = min(planes, self._grid.planes - first)
            yield self._slab(view, self._thorax.beam_fields, first, count)

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """See `Anatomy`."""
        grid = _centred_grid(self._half_size_mm, step_mm, step_mm)
        return grid, self._slab(
            self._placement.spread(grid), self._thorax.coarse_fields, 0, grid.planes
        )

    def _slab(self, view: PlacedGrid, fields: torch.Tensor, first: int, planes: int) -> Slab:
        """Planes of `view` sampled from `fields` (5, …), which has the volume's faces."""
        source = view.sample(first, planes)
        everywhere = torch.zeros(5, *source.shape[1:], device=fields.device)
        body = _window(source[NEAR])
        if body is not None:
            everywhere[body] = self._tissue(fields, source[body])
        soft, bone, cover, lung, density = everywhere
        return Slab(first, soft, bone, lung, density, cover)

    def _tissue(self, fields: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        """The fields where the map is `source` (channels, planes, rows, columns), with the lung's
        density itself in place of LUNG_MASS: (5, planes, rows, columns)."""
        # The last slice lies half a cube from the face.
        face = 1 - 1 / self._thorax.fields.shape[2]
        column, row, plane = source[:3]
        where = torch.stack([column, mirror_row(row, face), plane], dim=-1)
        found = torch.zeros(5, *row.shape, device=row.device)
        found[:LUNG] = _sample(fields[:LUNG], where)
        chest = _window(source[NEAR_LUNG])
        if chest is not None:
            share, mass = _sample(fields[LUNG:], where[chest[1:]])
            density = mass / share.clamp(min=1e-3) * source[LOG_DENSITY][chest[1:]].exp()
            found[LUNG:][chest] = torch.stack([share, density.clamp(0, 1)])
        beyond = (row.abs() > face).flatten().nonzero()[:, 0]
        if len(beyond):
            flat = found.view(5, -1)
            image = flat.index_select(1, beyond)
            place = source[:3].flatten(1).index_select(1, beyond)
            flat.index_copy_(1, beyond, extend_body(self._thorax, image, place, face))
        return found


Window = tuple[slice, slice, slice, slice]
"""All channels and planes, some rows and columns."""


def _window(near: torch.Tensor) -> Window | None:
    """The rows and columns of `near` (planes, rows, columns) that are not 0; None if all are.

    A cut-out without gaps is looked up faster than its points one by one.
    """
    seen = (near > 0).any(dim=0)
    rows, columns = (seen.any(dim=d).nonzero()[:, 0] for d in (1, 0))
    if len(rows) == 0:
        return None
    whole = slice(None)
    return (
        whole,
        whole,
        slice(int(rows[0]), int(rows[-1]) + 1),
        slice(int(columns[0]), int(columns[-1]) + 1),
    )


def _sample(fields: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """`fields` (channels, …) at normalised places (…, 3): (channels, …); 0 beyond their faces."""
    return F.grid_sample(
        fields[None], where[None], mode="bilinear", padding_mode="zeros", align_corners=False
    )[0]


def _half_size_mm(thorax: CtThorax, pose: CtPose, beam: ConeBeam) -> tuple[float, float, float]:
    """Half the box (x, y, z) around the chest's middle that the body fills in the beam."""
    inflation = resolve_inflation(thorax, pose)
    planes, _, columns = thorax.fields.shape[1:]
    (back, front), _, (right, left) = thorax.lung_box
    middle_y, middle_x = (back + front) / 2, (right + left) / 2
    grow = pose.scale * thorax.step_mm
    ribs_x, ribs_y = (ribs / thorax.step_mm for ribs in rib_cage_mm(thorax, inflation))
    half_x = max(middle_x, columns - middle_x) * inflation.widen_x
    half_y = max(middle_y, planes - middle_y) * inflation.widen_y
    half_x = (ribs_x + max(half_x - ribs_x, 0) * pose.wall) * grow * pose.width
    half_y = (ribs_y + max(half_y - ribs_y, 0) * pose.wall) * grow * pose.depth
    turn = math.sin(math.radians(abs(pose.yaw_deg)))
    half_x, half_y = half_x + half_y * turn + _MARGIN_MM, half_y + half_x * turn + _MARGIN_MM
    widening = (beam.source_mm + half_y) / beam.source_mm
    field_x = beam.columns * beam.pixel_mm / 2 * widening + abs(beam.centre_x_mm)
    field_z = beam.rows * beam.pixel_mm / 2 * widening + abs(beam.centre_z_mm)
    half_y += math.sin(math.radians(abs(pose.pitch_deg))) * field_z
    return min(half_x, field_x), half_y, field_z


def _depth_step_mm(beam: ConeBeam) -> float:
    return min(
        max(_DEPTH_STEP_PIXELS * beam.pixel_mm, _DEPTH_STEP_RANGE_MM[0]), _DEPTH_STEP_RANGE_MM[1]
    )


def _centred_grid(
    half_size_mm: tuple[float, float, float], step_mm: float, depth_mm: float
) -> VoxelGrid:
    columns, planes, rows = (
        math.ceil(2 * half / step) + 1
        for half, step in zip(half_size_mm, (step_mm, depth_mm, step_mm), strict=True)
    )
    return VoxelGrid(
        planes=planes,
        rows=rows,
        columns=columns,
        first_y_mm=-(planes - 1) / 2 * depth_mm,
        top_z_mm=(rows - 1) / 2 * step_mm,
        left_x_mm=-(columns - 1) / 2 * step_mm,
        step_y_mm=depth_mm,
        step_z_mm=step_mm,
        step_x_mm=step_mm,
    )
