"""The cone beam, and where an anatomy's voxels lie in it.

World coordinates in mm, as the finished image is looked at: x grows to the image's right (the
patient's left), y along the central ray from the source to the detector, z upwards. The origin
is the middle of the chest, where the pixel pitch is stated.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class ConeBeam:
    """A point source and a flat detector, both square to y."""

    rows: int
    columns: int
    pixel_mm: float
    """Pitch of a pixel, scaled back to the plane y = 0."""
    source_mm: float = 1800.0
    """From the source to the plane y = 0 [assumed: chest stands use 1.5 to 2 m]."""
    centre_x_mm: float = 0.0
    """Where the central ray meets the plane y = 0, and the middle of the image."""
    centre_z_mm: float = 0.0

    def magnification(self, y_mm: torch.Tensor) -> torch.Tensor:
        """Size in the plane y = 0 of what lies at depth `y_mm`, of any shape, over its own size."""
        return self.source_mm / (self.source_mm + y_mm)

    def column_x_mm(self, device: torch.device) -> torch.Tensor:
        """Where each column's ray meets the plane y = 0, relative to the central ray, (columns)."""
        index = torch.arange(self.columns, device=device, dtype=torch.float32)
        return (index - (self.columns - 1) / 2) * self.pixel_mm

    def row_z_mm(self, device: torch.device) -> torch.Tensor:
        """Where each row's ray meets the plane y = 0, from the top down, (rows), in mm.

        Relative to the central ray.
        """
        index = torch.arange(self.rows, device=device, dtype=torch.float32)
        return ((self.rows - 1) / 2 - index) * self.pixel_mm


@dataclass(frozen=True, slots=True)
class VoxelGrid:
    """Coronal planes of voxels: plane by plane along y, rows downwards in z, columns along x."""

    planes: int
    rows: int
    columns: int
    first_y_mm: float
    """Centre of the first plane; the others follow at `step_y_mm`."""
    top_z_mm: float
    """Centre of the first row; the others follow below it."""
    left_x_mm: float
    """Centre of the first column."""
    step_y_mm: float
    step_z_mm: float
    step_x_mm: float

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel, in mm³."""
        return self.step_y_mm * self.step_z_mm * self.step_x_mm

    def y_mm(self, device: torch.device) -> torch.Tensor:
        """Centres of the planes in mm, rising; of shape (planes)."""
        return self.first_y_mm + self.step_y_mm * torch.arange(
            self.planes, device=device, dtype=torch.float32
        )

    def z_mm(self, device: torch.device) -> torch.Tensor:
        """Centres of the rows, falling, (rows)."""
        return self.top_z_mm - self.step_z_mm * torch.arange(
            self.rows, device=device, dtype=torch.float32
        )

    def x_mm(self, device: torch.device) -> torch.Tensor:
        """Centres of the columns, (columns)."""
        return self.left_x_mm + self.step_x_mm * torch.arange(
            self.columns, device=device, dtype=torch.float32
        )
