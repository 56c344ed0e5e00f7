"""From a transmission back to millimetres, where an image is all there is."""

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.spectrum import XrayTube, transmit

_THICKEST_MM = 700.0


def water_equivalent(transmission: Float32Map, tube: XrayTube) -> Float32Map:
    """Water in mm, (y, x), that lets through `transmission` (y, x) in (0, 1] of the beam."""
    slabs = np.arange(0, _THICKEST_MM, 1.0, dtype=np.float32)[None]
    passed = -np.log(transmit(slabs, np.zeros_like(slabs), tube))[0]
    density = -np.log(np.clip(transmission, np.exp(-passed[-1]), 1.0))
    return np.interp(density, passed, slabs[0]).astype(np.float32)
