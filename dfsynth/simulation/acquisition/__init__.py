"""From line integrals to what a dark-field scanner delivers, one layer a module.

Every layer is a frozen record of parameters, a `draw_…` that takes a generator of its own, and a
pure function that applies it. `acquire` runs those that are not None.
"""

from dfsynth.simulation.acquisition.acquisition import (
    SCAN_LAYERS,
    Acquired,
    ImagingParameters,
    Projections,
    acquire,
    draw_imaging,
)
from dfsynth.simulation.acquisition.implants import (
    chest_places,
    draw_implants,
    project_implants,
)
from dfsynth.simulation.acquisition.spectrum import XrayTube, effective_water_per_cm, transmit

__all__ = [
    "SCAN_LAYERS",
    "Acquired",
    "ImagingParameters",
    "Projections",
    "XrayTube",
    "acquire",
    "chest_places",
    "draw_imaging",
    "draw_implants",
    "effective_water_per_cm",
    "project_implants",
    "transmit",
]
