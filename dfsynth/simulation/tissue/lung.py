"""Lung parenchyma with a patient's coefficient and diseases, voxel by voxel."""

from dataclasses import dataclass
from typing import Final

import torch

from dfsynth.simulation.projection.anatomy import CoarseBody, Slab
from dfsynth.simulation.projection.beam import VoxelGrid
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue.coefficient import (
    REFERENCE_DIAMETER_UM,
    aeration,
    density_factor,
    diameter_factor,
)
from dfsynth.simulation.tissue.emphysema import DESTROYED_DENSITY, destroyed_lung
from dfsynth.simulation.tissue.field import CoarseFields, gaussian_field
from dfsynth.simulation.tissue.opacities import flooded_lung
from dfsynth.simulation.tissue.parameters import HEALTHY_CV, TissueParameters

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
    """The same with all walls standing and no air sac widened; as uneven as `coefficient`."""
    healthy: torch.Tensor
    """The same without any disease."""


class LungTissue:
    """One patient's layers, drawn once and laid over each slab in turn."""

    def __init__(self, parameters: TissueParameters, anatomy: CoarseBody, streams: Streams) -> None:
        grid, body = anatomy.coarse(_COARSE_MM)
        lung = body.lung.cpu()
        self._parameters = parameters
        fields: dict[str, torch.Tensor] = {}
        if parameters.heterogeneity is not None:
            rng = streams("heterogeneity field")
            fields["log"] = gaussian_field(grid, parameters.heterogeneity.correlation_mm, rng)
        if parameters.emphysema is not None and parameters.emphysema.severity > 0:
            rng = streams("emphysema field")
            fields["destroyed"], fields["log10_um"] = destroyed_lung(
                parameters.emphysema, grid, lung, rng
            )
        if parameters.opacities is not None and parameters.opacities.patches > 0:
            rng = streams("opacities field")
            fields["flooded"] = flooded_lung(parameters.opacities, grid, lung, rng)
        self._names = tuple(fields)
        self._fields: CoarseFields | None = None
        if fields:
            values = torch.stack(list(fields.values())).to(body.lung.device)
            self._fields = CoarseFields(grid, values)

    def fill(self, slab: Slab, grid: VoxelGrid) -> LungVoxels:
        """The parenchyma of a slab of `grid`."""
        fields: dict[str, torch.Tensor] = {}
        if self._fields is not None:
            on_slab = self._fields.on(grid, slab.first, slab.lung.shape[0])
            fields = dict(zip(self._names, on_slab, strict=True))
        normal = slab.lung_density
        walls = density_factor(normal)
        healthy = intact = diseased = walls
        density = normal
        if "destroyed" in fields:
            density, diseased = self._destroy(fields, normal, walls)
        if "log" in fields:
            healthy = healthy * _vary(fields["log"], HEALTHY_CV)
            own = _vary(fields["log"], self._cv)
            intact, diseased = intact * own, diseased * own
        if "flooded" in fields:
            held, flooded = self._parameters.opacities, fields["flooded"]
            assert held is not None
            # Flooding takes away surfaces, and all scatter where no air is left.
            wet = 1 - flooded * (1 - held.coefficient_factor)
            soaked = normal + flooded * (held.density - normal).clamp_min(0)
            density = density + flooded * (held.density - density).clamp_min(0)
            intact = intact * wet * aeration(soaked)
            diseased = diseased * wet
        else:
            intact = intact * aeration(normal)
        return LungVoxels(
            density=density,
            coefficient=diseased * aeration(density),
            intact=intact,
            healthy=healthy * aeration(normal),
        )

    @property
    def _cv(self) -> float:
        held = self._parameters.heterogeneity
        return 0.0 if held is None else held.cv

    def _destroy(
        self, fields: dict[str, torch.Tensor], normal: torch.Tensor, walls: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Density and coefficient where emphysema has taken walls away."""
        held = self._parameters.emphysema
        assert held is not None
        destroyed = fields["destroyed"]
        emptied = normal.clamp_max(DESTROYED_DENSITY)
        wider_um = held.standing_widening * REFERENCE_DIAMETER_UM
        standing = (1 - destroyed) * diameter_factor(wider_um) * walls
        torn = destroyed * diameter_factor(10 ** fields["log10_um"]) * density_factor(emptied)
        return normal + destroyed * (emptied - normal), standing + torn


def _vary(log_field: torch.Tensor, cv: float) -> torch.Tensor:
    """A log-normal factor of mean 1 and coefficient of variation `cv`."""
    log_sd = _log_sd(cv)
    return torch.exp(log_sd * log_field - log_sd**2 / 2)


def _log_sd(cv: float) -> float:
    """Deviation of the logarithm of a log-normal variable of mean 1 and variation `cv`."""
    return float(torch.log1p(torch.tensor(cv**2)).sqrt())
