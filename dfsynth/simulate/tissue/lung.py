"""Lung parenchyma with a patient's coefficient and diseases, voxel by voxel."""

from dataclasses import dataclass
from typing import Final

import torch

from dfsynth.simulate.anatomy import Anatomy, Slab
from dfsynth.simulate.beam import VoxelGrid
from dfsynth.simulate.streams import Streams
from dfsynth.simulate.tissue.coefficient import (
    REFERENCE_DIAMETER_UM,
    aeration,
    density_factor,
    diameter_factor,
)
from dfsynth.simulate.tissue.emphysema import DESTROYED_DENSITY, destroyed_lung
from dfsynth.simulate.tissue.field import CoarseFields, gaussian_field
from dfsynth.simulate.tissue.opacities import flooded_lung
from dfsynth.simulate.tissue.parameters import TissueParameters

_COARSE_MM: Final = 5.0
LOW_ATTENUATION_DENSITY: Final = 0.05
"""−950 HU."""


@dataclass(frozen=True, slots=True)
class LungVoxels:
    """A slab's parenchyma; all (planes, rows, columns), densities over water's."""

    density: torch.Tensor
    """With disease."""
    coefficient: torch.Tensor
    """Over the healthy coefficient at the reference density, with all layers."""
    intact: torch.Tensor
    """The same, had the patient no emphysema."""
    healthy: torch.Tensor
    """The same without any disease."""


class LungTissue:
    """One patient's layers, drawn once and laid over each slab in turn."""

    def __init__(self, parameters: TissueParameters, anatomy: Anatomy, streams: Streams) -> None:
        grid, body = anatomy.coarse(_COARSE_MM)
        device = body.lung.device
        lung = body.lung.cpu()
        log_field = torch.zeros_like(lung)
        healthy_log_sd = ill_log_sd = 0.0
        if parameters.heterogeneity is not None:
            held = parameters.heterogeneity
            rng = streams("heterogeneity field")
            log_field = gaussian_field(grid, held.correlation_mm, rng)
            healthy_log_sd, ill_log_sd = _log_sd(0.1), _log_sd(held.cv)
        destroyed, size = torch.zeros_like(lung), torch.full_like(lung, 2.3)
        self._widening = 1.0
        if parameters.emphysema is not None:
            rng = streams("emphysema field")
            destroyed, size = destroyed_lung(parameters.emphysema, grid, lung, rng)
            self._widening = parameters.emphysema.standing_widening
        flooded = torch.zeros_like(lung)
        self._flooded_density, self._flooded_factor = 0.0, 1.0
        if parameters.opacities is not None:
            flooded = flooded_lung(parameters.opacities, grid, lung, streams("opacities field"))
            self._flooded_density = parameters.opacities.density
            self._flooded_factor = parameters.opacities.coefficient_factor
        self._log_sd = (healthy_log_sd, ill_log_sd)
        values = torch.stack([log_field, destroyed, size, flooded]).to(device)
        self._fields = CoarseFields(grid, values)

    def fill(self, slab: Slab, grid: VoxelGrid) -> LungVoxels:
        """The parenchyma of a slab of `grid`."""
        planes = slab.lung.shape[0]
        log_field, destroyed, size, flooded = self._fields.on(grid, slab.first, planes)
        healthy_sd, ill_sd = self._log_sd
        normal = slab.lung_density
        emptied = normal.clamp_max(DESTROYED_DENSITY)
        density = self._flood(normal + destroyed * (emptied - normal), flooded)
        walls = density_factor(normal)
        standing = (1 - destroyed) * diameter_factor(self._widening * REFERENCE_DIAMETER_UM) * walls
        torn = destroyed * diameter_factor(10**size) * density_factor(emptied)
        healthy = walls * torch.exp(healthy_sd * log_field - healthy_sd**2 / 2)
        diseased = (standing + torn) * torch.exp(ill_sd * log_field - ill_sd**2 / 2)
        # Flooding takes away surfaces, and all scatter where no air is left.
        wet = 1 - flooded * (1 - self._flooded_factor)
        return LungVoxels(
            density=density,
            coefficient=diseased * wet * aeration(density),
            intact=healthy * wet * aeration(self._flood(normal, flooded)),
            healthy=healthy * aeration(normal),
        )

    def _flood(self, density: torch.Tensor, flooded: torch.Tensor) -> torch.Tensor:
        return density + flooded * (self._flooded_density - density).clamp_min(0)


def _log_sd(cv: float) -> float:
    """Deviation of the logarithm of a log-normal variable of mean 1 and variation `cv`."""
    return float(torch.log1p(torch.tensor(cv**2)).sqrt())
