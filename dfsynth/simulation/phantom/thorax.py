"""A posed phantom as voxels and elements: the anatomy that the projector asks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import shape_chest
from dfsynth.simulation.phantom.fissures import spread_fissure
from dfsynth.simulation.phantom.organs import shape_organs
from dfsynth.simulation.phantom.outline import shape_outline
from dfsynth.simulation.phantom.planes import DepthMaps, depth_range, draw_maps, fill_planes
from dfsynth.simulation.phantom.skeleton import build_skeleton
from dfsynth.simulation.phantom.stance import take_stance
from dfsynth.simulation.phantom.vessels import grow_vessels
from dfsynth.simulation.projection.anatomy import Elements, Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid

_IN_PLANE_MM = (1.0, 2.0)
_DEPTH_MM = 3.0
_MARGIN_MM = 6.0


@dataclass(frozen=True, slots=True)
class PhantomFacts:
    """What the drawn parameters amount to, in the body's own frame, in mm."""

    cardiothoracic_ratio: float
    """Widest heart over widest inner chest."""
    right_dome_s: float
    left_dome_s: float
    apex_s: float


class PhantomAnatomy:
    """`body` in front of `beam`, made plane by plane on `device`; implements `Anatomy`.

    The grid covers what the beam's field can see of the body. Voxels are as wide as the beam's
    pixel, between 1 and 2 mm, and 3 mm deep.
    """

    def __init__(self, body: BodyParameters, beam: ConeBeam, device: torch.device) -> None:
        self.body = body
        self._beam = beam
        self._device = device
        self._chest = shape_chest(body, device)
        self._organs = shape_organs(body, self._chest)
        self._outline = shape_outline(body, self._chest)
        self._pose = take_stance(body)
        step = min(max(beam.pixel_mm, _IN_PLANE_MM[0]), _IN_PLANE_MM[1])
        self._maps = self._draw_body(step, step, _DEPTH_MM)

    @property
    def grid(self) -> VoxelGrid:
        """The voxels of `slabs`."""
        return self._maps.grid

    @property
    def inflation(self) -> float:
        """Volume of the lungs over that at full inspiration."""
        return self.body.inspiration

    @property
    def healthy_density(self) -> None:
        """Phantoms are healthy; disease is laid over them."""

    @cached_property
    def bones(self) -> Elements:
        """Cortical bone, and spongy bone as the cortical bone it amounts to."""
        points, volumes = build_skeleton(self.body, self._chest, self._spacing_mm(), self._device)
        return Elements(self._pose.place(points), volumes)

    @cached_property
    def vessels(self) -> Elements:
        """Pulmonary arteries and veins, and the pleura of a fissure."""
        parts = [
            make(self.body, self._chest, self._organs, self._spacing_mm(), self._device)
            for make in (grow_vessels, spread_fissure)
        ]
        points, volumes = (torch.cat(found) for found in zip(*parts, strict=True))
        return Elements(self._pose.place(points), volumes)

    @cached_property
    def facts(self) -> PhantomFacts:
        """Measures that follow from the parameters."""
        s = torch.linspace(self._chest.base_s, self._chest.apex_s, 128, device=self._device)
        lat = torch.linspace(-200, 200, 401, device=self._device)
        heart = (self._organs.heart_solid(lat[None], s[:, None]).square > 0).any(dim=0)
        domes = self._chest.domes
        return PhantomFacts(
            cardiothoracic_ratio=float(heart.sum()) / (2 * float(self._chest.width(s).max())),
            right_dome_s=domes[0].top_s,
            left_dome_s=domes[1].top_s,
            apex_s=self._chest.apex_s,
        )

    def slabs(self, planes: int) -> Iterator[Slab]:
        """The body from the source to the detector, `planes` planes at a time.

        Raises:
            ValueError: `planes` is below 1.
        """
        if planes < 1:
            raise ValueError(f"expected at least one plane at a time, found {planes}")
        for first in range(0, self.grid.planes, planes):
            last = min(first + planes, self.grid.planes)
            yield fill_planes(self._maps, self._chest, self._pose, first, last)

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """The whole body at once in cubes of `step_mm`."""
        maps = self._draw_body(step_mm, step_mm, step_mm)
        return maps.grid, fill_planes(maps, self._chest, self._pose, 0, maps.grid.planes)

    def fill(self, grid: VoxelGrid) -> Slab:
        """What of the body lies in the voxels of `grid`, wherever that is, all planes at once."""
        depth_mm = (grid.first_y_mm, grid.first_y_mm + (grid.planes - 1) * grid.step_y_mm)
        maps = self._draw(grid, depth_mm)
        return fill_planes(maps, self._chest, self._pose, 0, grid.planes)

    def _spacing_mm(self) -> float:
        """Between the points of elements: fine enough that the detector sees no points."""
        return min(max(0.8 * self._beam.pixel_mm, 0.5), 1.2)

    def _draw_body(self, step_x_mm: float, step_z_mm: float, step_y_mm: float) -> DepthMaps:
        """Maps over all of the body that the field sees."""
        field = self._cover((0.0, 0.0), step_x_mm, step_z_mm, step_y_mm)
        depth_mm = depth_range(self._outline, self._pose, field, self._device)
        return self._draw(self._cover(depth_mm, step_x_mm, step_z_mm, step_y_mm), depth_mm)

    def _draw(self, grid: VoxelGrid, depth_mm: tuple[float, float]) -> DepthMaps:
        return draw_maps(
            self.body,
            self._chest,
            self._organs,
            self._outline,
            self._pose,
            grid,
            depth_mm,
            self._device,
        )

    def _cover(
        self, depth_mm: tuple[float, float], step_x_mm: float, step_z_mm: float, step_y_mm: float
    ) -> VoxelGrid:
        """Voxels that hold all that the field sees between two depths."""
        beam = self._beam
        planes = max(1, math.ceil((depth_mm[1] - depth_mm[0]) / step_y_mm) + 1)
        widen = 1 + max(depth_mm[1], 0.0) / beam.source_mm
        columns = math.ceil((beam.columns * beam.pixel_mm * widen + _MARGIN_MM) / step_x_mm)
        rows = math.ceil((beam.rows * beam.pixel_mm * widen + _MARGIN_MM) / step_z_mm)
        return VoxelGrid(
            planes=planes,
            rows=rows,
            columns=columns,
            first_y_mm=depth_mm[0],
            top_z_mm=beam.centre_z_mm + (rows - 1) / 2 * step_z_mm,
            left_x_mm=beam.centre_x_mm - (columns - 1) / 2 * step_x_mm,
            step_y_mm=step_y_mm,
            step_z_mm=step_z_mm,
            step_x_mm=step_x_mm,
        )
