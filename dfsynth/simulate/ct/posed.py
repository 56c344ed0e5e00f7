"""A posed CT thorax in front of the beam."""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from dfsynth.simulate.anatomy import Elements, Slab
from dfsynth.simulate.beam import ConeBeam, VoxelGrid
from dfsynth.simulate.ct.placement import place, resolve_inflation
from dfsynth.simulate.ct.pose import CtPose
from dfsynth.simulate.ct.thorax import CtThorax
from dfsynth.simulate.ct.tissues import BONE, COVER, LUNG, LUNG_MASS, SOFT

_STEP_RANGE_MM = (1.0, 2.0)
_DEPTH_STEP_MM = 2.5
_FULL_DENSITY = 0.15
"""Of healthy parenchyma at full inspiration, over water's: f0 of the scattering model."""
_TISSUE_DENSITY = 1.04
_MARGIN_MM = 12.0


class CtAnatomy:
    """A CT volume in one pose, resampled plane by plane; an `Anatomy`.

    Bones and vessels are in the voxels, so `bones` and `vessels` are empty. Beyond the first and
    the last slice the body goes on as its mirror image, with soft tissue for lung [assumed], so
    that the image does not end where the scan did.
    """

    def __init__(self, thorax: CtThorax, pose: CtPose, beam: ConeBeam) -> None:
        self._thorax = thorax
        half_size_mm = _half_size_mm(thorax, pose, beam)
        self._placement = place(thorax, pose, half_size_mm)
        step_mm = min(max(beam.pixel_mm, _STEP_RANGE_MM[0]), _STEP_RANGE_MM[1])
        self._grid = _centred_grid(half_size_mm, step_mm, max(_DEPTH_STEP_MM, step_mm))
        self._half_size_mm = half_size_mm
        self._pose = pose
        self._mass_factor = 1.0
        self._mass_factor = self._conserve_mass()

    @property
    def grid(self) -> VoxelGrid:
        return self._grid

    @property
    def inflation(self) -> float:
        """By the mean density: 1 where it is that of healthy lung at full inspiration or less."""
        density = self._thorax.healthy_density / self._pose.inflation
        return min(1.0, _FULL_DENSITY / max(density, 0.01))

    @property
    def bones(self) -> Elements:
        return Elements.none(self._thorax.fields.device)

    @property
    def vessels(self) -> Elements:
        return Elements.none(self._thorax.fields.device)

    def slabs(self, planes: int) -> Iterator[Slab]:
        for first in range(0, self._grid.planes, planes):
            count = min(planes, self._grid.planes - first)
            yield self._slab(self._grid, self._thorax.fields, first, count)

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        grid = _centred_grid(self._half_size_mm, step_mm, step_mm)
        fields = self._thorax.fields
        width = max(1, int(step_mm / self._thorax.step_mm))
        # Means over cubes as wide as a step, without moving the volume's faces.
        size = [max(2, n // width) for n in fields.shape[1:]]
        return grid, self._slab(grid, F.adaptive_avg_pool3d(fields, size), 0, grid.planes)

    def _conserve_mass(self) -> float:
        """What the lungs' density is multiplied with so that their mass is the scanned one."""
        thorax = self._thorax
        grid, slab = self.coarse(6.0)
        posed = float((slab.lung * slab.lung_density).sum()) * grid.voxel_mm3
        scanned = float(thorax.fields[LUNG_MASS].sum(dtype=torch.float64)) * thorax.step_mm**3
        return scanned * self._pose.scale**3 / max(posed, 1e-6)

    def _slab(self, grid: VoxelGrid, fields: torch.Tensor, first: int, planes: int) -> Slab:
        """Planes of `grid` sampled from `fields` (5, …), which has the volume's faces."""
        source = self._placement.sample(grid, first, planes)
        row = source[1]
        beyond = row.abs() > 1
        mirrored = torch.where(beyond, row.sign() * 2 - row, row)
        where = torch.stack([source[0], mirrored, source[2]], dim=-1)
        found = F.grid_sample(
            fields[None], where[None], mode="bilinear", padding_mode="zeros", align_corners=False
        )[0]
        outside = beyond.float()
        lost = found[LUNG] * outside
        lung = found[LUNG] - lost
        density = found[LUNG_MASS] / found[LUNG].clamp(min=1e-3)
        return Slab(
            first=first,
            soft=found[SOFT] + lost * _TISSUE_DENSITY,
            bone=found[BONE],
            lung=lung,
            lung_density=(density * torch.exp(source[3]) * self._mass_factor).clamp(0, 1),
            cover=torch.where(row > 1, (found[COVER] + lost).clamp(max=1), found[COVER]),
        )


def _half_size_mm(thorax: CtThorax, pose: CtPose, beam: ConeBeam) -> tuple[float, float, float]:
    """Half the box (x, y, z) around the chest's middle that the body fills in the beam."""
    inflation = resolve_inflation(thorax, pose)
    planes, _, columns = thorax.fields.shape[1:]
    (back, front), _, (right, left) = thorax.lung_box
    middle_y, middle_x = (back + front) / 2, (right + left) / 2
    grow = pose.scale * thorax.step_mm
    half_x = max(middle_x, columns - middle_x) * grow * inflation.widen_x
    half_y = max(middle_y, planes - middle_y) * grow * inflation.widen_y
    turn = math.sin(math.radians(abs(pose.yaw_deg)))
    half_x, half_y = half_x + half_y * turn + _MARGIN_MM, half_y + half_x * turn + _MARGIN_MM
    widening = (beam.source_mm + half_y) / beam.source_mm
    field_x = beam.columns * beam.pixel_mm / 2 * widening + abs(beam.centre_x_mm)
    field_z = beam.rows * beam.pixel_mm / 2 * widening + abs(beam.centre_z_mm)
    half_y += math.sin(math.radians(abs(pose.pitch_deg))) * field_z
    return min(half_x, field_x), half_y, field_z


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
