"""Attenuation coefficients of what slices are made of, at the scanner's tube voltage."""

from functools import cache
from typing import Final, Literal, TypeAlias

import numpy as np

from dfsynth.simulation.acquisition.spectrum import (
    XrayTube,
    attenuation_per_mm,
    detected_spectrum,
)

Substance: TypeAlias = Literal["water", "bone", "aluminium", "pmma"]

TUBE: Final = XrayTube(80.0)
"""Frey et al.: 80 kVp."""
_BEHIND_WATER_MM: Final = 75.0
"""Half of the water that a ray through a chest meets [assumed]: the mean coefficient along 150 mm
of water is about that of a thin layer in its middle."""
_PMMA_OVER_WATER: Final = 1.09
"""At 50 keV, the mean energy there [derived from NIST XCOM: 0.207 cm²/g at 1.19 g/cm³ over
0.227 1/cm]; acrylic glass is not in the tables."""


@cache
def mu_per_m(substance: Substance) -> float:
    """The effective attenuation coefficient in 1/m at 80 kVp, of solid matter.

    One number for each substance, as if the beam had one energy: the mean of mu(E) over the
    spectrum that is detected behind 75 mm of water. So an object has no beam hardening, and
    neither bone nor soft tissue an apparent dark-field by hardening of the visibility; both lie
    outside this model.
    """
    if substance == "pmma":
        return _PMMA_OVER_WATER * mu_per_m("water")
    spectrum = detected_spectrum(TUBE)
    weight = spectrum.weight * np.exp(-_BEHIND_WATER_MM * attenuation_per_mm("water"))
    return float(1000 * (weight @ attenuation_per_mm(substance)) / weight.sum())
