"""Lung parenchyma: coefficient, heterogeneity, emphysema, opacities."""

from dfsynth.simulation.tissue.coefficient import (
    DENSITY_EXPONENT,
    DIAMETER_EXPONENT,
    REFERENCE_DENSITY,
    density_factor,
)
from dfsynth.simulation.tissue.lung import LOW_ATTENUATION_DENSITY, LungTissue, LungVoxels
from dfsynth.simulation.tissue.parameters import TissueParameters, draw_tissue

__all__ = [
    "DENSITY_EXPONENT",
    "DIAMETER_EXPONENT",
    "LOW_ATTENUATION_DENSITY",
    "REFERENCE_DENSITY",
    "LungTissue",
    "LungVoxels",
    "TissueParameters",
    "density_factor",
    "draw_tissue",
]
