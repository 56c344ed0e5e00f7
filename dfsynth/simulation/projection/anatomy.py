"""What an origin hands over: a posed body as slabs of voxels, and its fine structures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch

from dfsynth.simulation.projection.beam import VoxelGrid


@dataclass(frozen=True, slots=True)
class Slab:
    """A few neighbouring coronal planes of a body; every field is (planes, rows, columns) float32.

    At a voxel that tissues share, each holds its part of the volume, so that sums over voxels
    are true: mass density over water's = soft + lung · lung_density + 1.92 · bone.
    """

    first: int
    """Index in the grid of the first plane."""
    soft: torch.Tensor
    """Density over water's of everything but bone and lung parenchyma: 0 in air, about 0.93 in
    fat and 1.05 in muscle."""
    bone: torch.Tensor
    """Share of the voxel that is cortical bone, 0 to 1; spongy bone is a mixture."""
    lung: torch.Tensor
    """Share of the voxel that is lung parenchyma, 0 to 1; no airway, no vessel, no pleura."""
    lung_density: torch.Tensor
    """Density of the parenchyma over water's, the f of the scattering model; 0 to 1."""
    cover: torch.Tensor
    """Share of the voxel that belongs to an organ over which outlines of the lung field leave
    lung out: heart, great vessels, mediastinum, vertebral bodies of a CT volume, and everything
    below the domes; 0 to 1."""


@dataclass(frozen=True, slots=True)
class Elements:
    """Structures too fine for voxels, as many small volumes of one tissue."""

    points_mm: torch.Tensor
    """(n, 3) float32: x, y, z in the world."""
    volumes_mm3: torch.Tensor
    """(n) float32."""

    @classmethod
    def none(cls, device: torch.device) -> "Elements":
        """Stands for a body without such structures."""
        return cls(torch.zeros(0, 3, device=device), torch.zeros(0, device=device))


class CoarseBody(Protocol):
    """What layers ask of a body before its voxels are made."""

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """The whole body at once in cubes of about `step_mm`: where lung is, for layers that
        need to know before the voxels are made."""


class Anatomy(CoarseBody, Protocol):
    """One body in one pose, in front of the beam."""

    @property
    def grid(self) -> VoxelGrid:
        """The voxels of `slabs`."""

    @property
    def inflation(self) -> float:
        """Volume of the lungs over that at full inspiration, in (0, 1]."""

    @property
    def healthy_density(self) -> float | None:
        """What the parenchyma's density would be without the disease that is in the voxels, over
        water's; None where they hold none."""

    @property
    def bones(self) -> Elements:
        """Cortical bone that is not in the voxels; it takes the place of soft tissue."""

    @property
    def vessels(self) -> Elements:
        """Blood vessels inside the lung that are not in the voxels; they replace parenchyma."""

    def slabs(self, planes: int) -> Iterator[Slab]:
        """The body from the source to the detector, `planes` planes at a time."""
