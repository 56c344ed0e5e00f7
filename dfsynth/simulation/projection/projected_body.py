"""A body in the beam → line integrals: what every image layer starts from."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.projection.anatomy import Anatomy, Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.projection.projector import deposit, project
from dfsynth.simulation.tissue import (
    DENSITY_EXPONENT,
    LOW_ATTENUATION_DENSITY,
    LungTissue,
    LungVoxels,
    density_factor,
)

_BLOOD_DENSITY: Final = 1.06
_SOFT_TISSUE_DENSITY: Final = 1.05
_PLANES: Final = 8
_FIELD_MM: Final = 8.0
"""Lung along a ray from which people count a pixel as lung field [assumed]."""
_COVERED_MM: Final = 25.0
"""Organs along a ray from which people leave lung out of the field [assumed]."""
_RIM_MM: Final = 1.0
_LEAST_LUNG_MM3: Final = 2e5


@dataclass(frozen=True, slots=True)
class LungFacts:
    """Sums over the voxels of both lungs."""

    volume_l: float
    laa950: float
    """Share of the volume below −950 HU."""
    eps_bar_per_m: float
    """Mean coefficient over the volume."""
    sdf_m2: float
    """Total dark-field signal: the integral of the coefficient over the volume."""
    eps_bar_healthy_per_m: float
    """The same lungs without disease, at this inspiration."""
    mean_density: float
    """Of the parenchyma, over water's, with disease."""


@dataclass(frozen=True, slots=True)
class ProjectedBody:
    """Line integrals through one body; all (y, x) float32."""

    water_mm: Float32Map
    """Of soft tissue and lung, by density over water's."""
    bone_mm: Float32Map
    """Of cortical bone."""
    lung_mm: Float32Map
    """Path in lung parenchyma, with what of it is flooded or destroyed."""
    dark_field: Float32Map
    """D = ∫ eps dl and nothing else, dimensionless."""
    severity: Float32Map
    """Share of D that emphysema takes away, 0 to 1; 0 where there is no lung."""
    cover_mm: Float32Map
    """Path in organs over which outlines leave lung out."""
    facts: LungFacts


def project_body(
    anatomy: Anatomy, tissue: LungTissue, eps_healthy_per_m: float, beam: ConeBeam
) -> ProjectedBody:
    """Projects a body with its lung tissue.

    The coefficient is scaled so that the lungs, healthy and at full inspiration, would have the
    mean `eps_healthy_per_m`; an emptier lung has more of it, by the model's density exponent.
    Lungs that bring disease along are compared with lungs of their `healthy_density`: scaled by
    their own mean, rarefied lungs would scatter as healthy ones do, and flooding a part of them
    would raise the rest.

    Args:
        anatomy: the body, posed before the beam.
        tissue: its lungs' layers.
        eps_healthy_per_m: coefficient of the lungs, were they healthy and full, in 1/m.
        beam: the rays; maps are (beam.rows, beam.columns).

    Raises:
        ValueError: the body has hardly any lung.
    """
    sums = _Sums()
    everything = torch.zeros(3, beam.rows, beam.columns, device=anatomy.bones.points_mm.device)
    lungs = torch.zeros(4, beam.rows, beam.columns, device=everything.device)
    grid = anatomy.grid
    for slab in anatomy.slabs(_PLANES):
        everything += project(
            torch.stack([slab.soft, slab.bone, slab.cover]), slab.first, grid, beam
        )
        cut = _cut_to_lung(slab, grid)
        if cut is not None:
            part, part_grid = cut
            voxels = tissue.fill(part, part_grid)
            sums.add(part, voxels, part_grid)
            lungs += project(_lung_fields(part, voxels), part.first, part_grid, beam)
    facts, eps_per_mm = sums.facts(eps_healthy_per_m, anatomy)
    soft, bone, cover = everything
    lung, parenchyma, scatter, intact = lungs
    water = soft + parenchyma
    scatter, intact = scatter * eps_per_mm, intact * eps_per_mm
    bones, vessels = deposit(anatomy.bones, beam), deposit(anatomy.vessels, beam)
    # Blood in place of parenchyma: no vessel without lung around it.
    vessels = torch.minimum(vessels, lung)
    left = 1 - vessels / lung.clamp_min(1e-3)
    water = water + vessels * (_BLOOD_DENSITY - sums.mean_density)
    # Bone in place of muscle.
    water = (water - bones * _SOFT_TISSUE_DENSITY).clamp_min(0)
    severity = 1 - scatter / intact.clamp_min(1e-6)
    seen = lung > 1.0
    return ProjectedBody(
        water_mm=_to_map(water),
        bone_mm=_to_map(bone + bones),
        lung_mm=_to_map(lung - vessels),
        dark_field=_to_map(scatter * left),
        severity=_to_map(torch.where(seen, severity, 0.0).clamp(0, 1)),
        cover_mm=_to_map(cover),
        facts=facts,
    )


def label_lung(body: ProjectedBody) -> NDArray[np.uint8]:
    """(y, x): 1 lung field as people outline it, 2 lung that is hidden in the image, 0 no lung.

    Hidden is what lies behind the heart and the mediastinum, in front of or behind the domes, and
    the thin rim that no eye sees.
    """
    some = body.lung_mm > _RIM_MM
    field = (body.lung_mm > _FIELD_MM) & (body.cover_mm < _COVERED_MM)
    # Outlines are drawn without the single pixels that a steep rim leaves.
    smooth = np.asarray(cv2.medianBlur(field.astype(np.uint8), 5))
    return np.where(smooth > 0, 1, np.where(some, 2, 0)).astype(np.uint8)


class _Sums:
    """Adds up the voxels of slabs, in double precision."""

    def __init__(self) -> None:
        self._volume_mm3 = self._healthy = self._coefficient = 0.0
        self._low = self._density = 0.0

    def add(self, slab: Slab, voxels: LungVoxels, grid: VoxelGrid) -> None:
        def integral(values: torch.Tensor) -> float:
            return float((slab.lung * values).sum(dtype=torch.float64)) * grid.voxel_mm3

        self._volume_mm3 += float(slab.lung.sum(dtype=torch.float64)) * grid.voxel_mm3
        self._healthy += integral(voxels.healthy)
        self._coefficient += integral(voxels.coefficient)
        self._density += integral(voxels.density)
        self._low += integral((voxels.density < LOW_ATTENUATION_DENSITY).float())

    @property
    def mean_density(self) -> float:
        return self._density / max(self._volume_mm3, 1.0)

    def facts(self, eps_healthy_per_m: float, anatomy: Anatomy) -> tuple[LungFacts, float]:
        """The lungs' facts, and the coefficient in 1/mm for a relative coefficient of 1."""
        if self._volume_mm3 < _LEAST_LUNG_MM3:
            raise ValueError(f"the body has {self._volume_mm3 / 1e6:.2f} l of lung")
        healthy = eps_healthy_per_m * anatomy.inflation**-DENSITY_EXPONENT
        density = anatomy.healthy_density
        per_m = healthy / (
            self._healthy / self._volume_mm3
            if density is None
            else float(density_factor(torch.tensor(density)))
        )
        integral = self._coefficient * per_m
        facts = LungFacts(
            volume_l=self._volume_mm3 / 1e6,
            laa950=self._low / self._volume_mm3,
            eps_bar_per_m=integral / self._volume_mm3,
            sdf_m2=integral / 1e9,
            eps_bar_healthy_per_m=healthy,
            mean_density=self.mean_density,
        )
        return facts, per_m / 1000


def _cut_to_lung(slab: Slab, grid: VoxelGrid) -> tuple[Slab, VoxelGrid] | None:
    """The box of a slab that holds its lung, a voxel of margin around it; None without lung."""
    seen = (slab.lung > 0).any(dim=0)
    rows = torch.nonzero(seen.any(dim=1)).flatten()
    if len(rows) == 0:
        return None
    columns = torch.nonzero(seen.any(dim=0)).flatten()
    top, bottom = max(int(rows[0]) - 1, 0), int(rows[-1]) + 2
    left, right = max(int(columns[0]) - 1, 0), int(columns[-1]) + 2
    box = (slice(None), slice(top, bottom), slice(left, right))
    part = Slab(
        slab.first,
        slab.soft[box],
        slab.bone[box],
        slab.lung[box],
        slab.lung_density[box],
        slab.cover[box],
    )
    part_grid = replace(
        grid,
        rows=part.lung.shape[1],
        columns=part.lung.shape[2],
        top_z_mm=grid.top_z_mm - top * grid.step_z_mm,
        left_x_mm=grid.left_x_mm + left * grid.step_x_mm,
    )
    return part, part_grid


def _lung_fields(slab: Slab, voxels: LungVoxels) -> torch.Tensor:
    """What is projected of the lungs: (4, planes, rows, columns)."""
    lung = slab.lung
    return torch.stack(
        [lung, lung * voxels.density, lung * voxels.coefficient, lung * voxels.intact]
    )


def _to_map(values: torch.Tensor) -> Float32Map:
    return values.cpu().numpy().astype(np.float32, copy=False)
