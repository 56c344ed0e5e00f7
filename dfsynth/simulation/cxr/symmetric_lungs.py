"""Lungs in three dimensions with a given thickness, so that tissue is drawn in them as in bodies.

A field that varies along the beam is averaged by the projection: over a thickness L a field of
correlation c keeps about sqrt(c / L) of its variation. Laying the tissue's own fields into a body
of the predicted thickness gives this without a formula, clusters of emphysema included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch

from dfsynth.records import Float32Map
from dfsynth.simulation.projection.anatomy import Elements, Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.tissue.coefficient import REFERENCE_DENSITY

_STEP_Y_MM: Final = 5.0
_VOXELS_ACROSS: Final = 128
_MARGIN_MM: Final = 40.0
"""Free space in depth on either side: fields on the grid are periodic."""
_FAR_MM: Final = 1e7
_CPU: Final = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class SymmetricLungs:
    """Lungs alone, symmetric about the plane y = 0, of the reference density everywhere.

    Implements `dfsynth.simulation.projection.anatomy.Anatomy`.
    """

    thickness_mm: Float32Map
    """Path in lung by pixel of the image, (y, x), in mm."""
    pixel_mm: float
    inflation: float = 1.0
    """Volume of the lungs over that at full inspiration."""
    healthy_density: None = None

    @property
    def grid(self) -> VoxelGrid:
        """About `_VOXELS_ACROSS` voxels over the image, 5 mm in depth."""
        pixels = max(1, round(self.thickness_mm.shape[1] / _VOXELS_ACROSS))
        return self._cubes(pixels * self.pixel_mm)

    @property
    def bones(self) -> Elements:
        """See `Anatomy`; there are none beside the voxels."""
        return Elements.none(_CPU)

    @property
    def vessels(self) -> Elements:
        """See `Anatomy`; there are none beside the voxels."""
        return Elements.none(_CPU)

    @property
    def beam(self) -> ConeBeam:
        """Parallel rays, one a pixel: the prediction is of the detector's own pixels."""
        rows, columns = self.thickness_mm.shape
        return ConeBeam(rows, columns, self.pixel_mm, source_mm=_FAR_MM)

    def slabs(self, planes: int) -> Iterator[Slab]:
        """See `Anatomy`."""
        grid = self.grid
        for first in range(0, grid.planes, planes):
            yield self._slab(grid, first, min(planes, grid.planes - first))

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """See `Anatomy`."""
        grid = self._cubes(step_mm)
        return grid, self._slab(grid, 0, grid.planes)

    def _cubes(self, step_mm: float) -> VoxelGrid:
        depth = float(self.thickness_mm.max()) + 2 * _MARGIN_MM
        planes = 2 * round(depth / _STEP_Y_MM / 2) + 1
        height, width = (side * self.pixel_mm for side in self.thickness_mm.shape)
        rows, columns = max(2, round(height / step_mm)), max(2, round(width / step_mm))
        return VoxelGrid(
            planes=planes,
            rows=rows,
            columns=columns,
            first_y_mm=-(planes - 1) / 2 * _STEP_Y_MM,
            top_z_mm=(height - height / rows) / 2,
            left_x_mm=-(width - width / columns) / 2,
            step_y_mm=_STEP_Y_MM,
            step_z_mm=height / rows,
            step_x_mm=width / columns,
        )

    def _slab(self, grid: VoxelGrid, first: int, planes: int) -> Slab:
        size = (grid.columns, grid.rows)
        thickness = torch.from_numpy(
            np.asarray(cv2.resize(self.thickness_mm, size, interpolation=cv2.INTER_AREA))
        )
        y = grid.y_mm(_CPU)[first : first + planes, None, None]
        half, step = thickness / 2, grid.step_y_mm
        top, bottom = (y + step / 2).clamp(-half, half), (y - step / 2).clamp(-half, half)
        lung = (top - bottom) / step
        none = torch.zeros_like(lung)
        return Slab(first, none, none, lung, torch.full_like(lung, REFERENCE_DENSITY), none)
