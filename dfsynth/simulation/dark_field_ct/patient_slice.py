"""A posed section with a patient's lung tissue → the slice that is scanned."""

from typing import Final

import torch
import torch.nn.functional as F

from dfsynth.records import Float32Map, Parameter
from dfsynth.simulation.columns import tissue_columns
from dfsynth.simulation.ct.tissues import BONE, COVER, LUNG, LUNG_MASS, SOFT
from dfsynth.simulation.dark_field_ct.coefficients import mu_per_m
from dfsynth.simulation.dark_field_ct.outlines import outline_air, outline_lungs
from dfsynth.simulation.dark_field_ct.sections import Section
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.projection.anatomy import Slab
from dfsynth.simulation.projection.beam import VoxelGrid
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import (
    DENSITY_EXPONENT,
    LOW_ATTENUATION_DENSITY,
    LungTissue,
    LungVoxels,
    TissueParameters,
    density_factor,
)

_LEAST_SHARE: Final = 1e-3
_COARSE_ROWS: Final = 9
"""Tall enough for patches of disease whose middle lies above or below the section."""


def fill_section(
    section: Section, tissue: TissueParameters, streams: Streams, drawn: dict[str, Parameter]
) -> SliceObject:
    """Lays lung tissue into a posed, square section with an even side.

    The coefficient is scaled so that the section's parenchyma, healthy and at full inspiration,
    has the mean `tissue.eps_healthy_per_m`; an emptier lung has more of it, by the model's density
    exponent. Lungs that bring disease along are compared with lungs of their `healthy_density`.
    Everything but parenchyma has the dark-field coefficient 0: what bone and soft tissue show by
    hardening of the visibility is no part of the object.

    Args:
        section: the body, posed in the scanner.
        tissue: the patient's lungs.
        streams: those that the tissue was drawn from.
        drawn: parameters of the body and its pose, by name.

    Raises:
        ValueError: there is no lung in it, or its side is odd.
    """
    body = _SectionBody(section)
    slab = body.slab
    if not bool((slab.lung > _LEAST_SHARE).any()):
        raise ValueError("the section has no lung in it; choose a level at which both lungs are")
    voxels = LungTissue(tissue, body, streams).fill(slab, body.grid)
    per_m, mean_healthy_per_m = _scale(section, slab, voxels, tissue.eps_healthy_per_m)
    soft, bone, lung = section.fields[SOFT], section.fields[BONE], section.fields[LUNG]
    density, coefficient = voxels.density[:, 0], voxels.coefficient[:, 0]
    mu = (soft + lung * density) * mu_per_m("water") + bone * mu_per_m("bone")
    facts: dict[str, Parameter] = {
        "severity": tissue.severity,
        "eps_bar_healthy_per_m": mean_healthy_per_m,
        "eps_bar_per_m": per_m * _mean(coefficient, lung),
        "laa950": _mean((density < LOW_ATTENUATION_DENSITY).float(), lung),
        "lung_area_mm2": float(lung.sum(dtype=torch.float64)) * section.step_mm**2,
    }
    return SliceObject(
        mu_per_m=_to_map(mu),
        dark_field_per_m=_to_map(lung * coefficient * per_m),
        lung_mask=outline_lungs(section.fields, section.step_mm),
        air_mask=outline_air(section.fields),
        pixel_mm=section.step_mm,
        parameters=drawn | tissue_columns(tissue) | facts,
    )


class _SectionBody:
    """A section as a body that goes on unchanged above and below; what lung tissue asks of one."""

    def __init__(self, section: Section) -> None:
        self._fields = section.fields
        self.grid = _grid(section.fields.shape[1], section.step_mm, rows=1)
        self.slab = _slab(section.fields, rows=1)

    def coarse(self, step_mm: float) -> tuple[VoxelGrid, Slab]:
        """See `CoarseBody`."""
        side_mm = self.grid.columns * self.grid.step_x_mm
        size = max(2, round(side_mm / step_mm))
        fields = F.adaptive_avg_pool2d(self._fields, size)
        return _grid(size, side_mm / size, _COARSE_ROWS), _slab(fields, _COARSE_ROWS)


def _grid(size: int, step_mm: float, rows: int) -> VoxelGrid:
    """`rows` of the section's pixels as cubes, the middle row at the section."""
    first_mm = -(size - 1) / 2 * step_mm
    return VoxelGrid(
        planes=size,
        rows=rows,
        columns=size,
        first_y_mm=first_mm,
        top_z_mm=(rows - 1) / 2 * step_mm,
        left_x_mm=first_mm,
        step_y_mm=step_mm,
        step_z_mm=step_mm,
        step_x_mm=step_mm,
    )


def _slab(fields: torch.Tensor, rows: int) -> Slab:
    """(5, y, x) of a section as planes of equal rows."""
    flat = fields[:, :, None, :].expand(-1, -1, rows, -1)
    density = (flat[LUNG_MASS] / flat[LUNG].clamp_min(_LEAST_SHARE)).clamp(0, 1)
    return Slab(0, flat[SOFT], flat[BONE], flat[LUNG], density, flat[COVER])


def _scale(
    section: Section, slab: Slab, voxels: LungVoxels, eps_healthy_per_m: float
) -> tuple[float, float]:
    """The coefficient in 1/m for a relative coefficient of 1, and the healthy lung's mean."""
    healthy_per_m = eps_healthy_per_m * section.inflation**-DENSITY_EXPONENT
    relative = (
        _mean(voxels.healthy, slab.lung)
        if section.healthy_density is None
        else float(density_factor(torch.tensor(section.healthy_density)))
    )
    return healthy_per_m / relative, healthy_per_m


def _mean(values: torch.Tensor, lung: torch.Tensor) -> float:
    """Over the parenchyma."""
    return float((values * lung).sum(dtype=torch.float64) / lung.sum(dtype=torch.float64))


def _to_map(values: torch.Tensor) -> Float32Map:
    return values.clamp_min(0).cpu().numpy().astype("float32", copy=False)
