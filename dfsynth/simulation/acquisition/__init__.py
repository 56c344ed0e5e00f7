"""From line integrals to what a dark-field scanner delivers, one layer a module.

Every layer is a frozen record of parameters, a `draw_…` that takes a generator of its own, and a
pure function that applies it. `acquire` runs those that are not None.
"""

from dfsynth.simulation.acquisition.acquisition import (
    LAYERS,
    Acquired,
    ImagingParameters,
    Projections,
    acquire,
    draw_imaging,
)
from dfsynth.simulation.acquisition.devices import (
    DEVICE_KINDS,
    DeviceParameters,
    chest_places,
    draw_devices,
    lay_devices,
)
from dfsynth.simulation.acquisition.spectrum import Tube, effective_water_per_cm, transmit

__all__ = [
    "DEVICE_KINDS",
    "LAYERS",
    "Acquired",
    "DeviceParameters",
    "ImagingParameters",
    "Projections",
    "Tube",
    "acquire",
    "chest_places",
    "draw_devices",
    "draw_imaging",
    "effective_water_per_cm",
    "lay_devices",
    "transmit",
]
