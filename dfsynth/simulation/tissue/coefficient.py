"""How strongly lung parenchyma scatters, by its density and the size of its air sacs.

eps = eps_ref · (f / f0)^0.82 · (D0 / D_alv)^0.85 · C(f); the three factors are below.
"""

import torch

DENSITY_EXPONENT = 0.82
"""From the cohort means of total signal and coefficient at inspiration and expiration (Urban et
al., 2025): as a lung empties, its coefficient rises a little more slowly than its density."""
DIAMETER_EXPONENT = 0.85
"""Autocorrelation of dilute spheres between 150 and 1000 µm."""
REFERENCE_DENSITY = 0.15
REFERENCE_DIAMETER_UM = 200.0
_AERATED_TO = 0.4
"""Density over water's up to which all of the scatter is there, −600 HU [assumed]."""
_AIRLESS_FROM = 0.9
"""Density from which none is, −100 HU [assumed]."""


def density_factor(density: torch.Tensor) -> torch.Tensor:
    """(f / f0)^0.82 for a density f over water's, of any shape; f0 = 0.15.

    Denser lung has more walls in the same volume.
    """
    return (density / REFERENCE_DENSITY).clamp_min(0) ** DENSITY_EXPONENT


def aeration(density: torch.Tensor) -> torch.Tensor:
    """C(f) for a density f over water's, of any shape: flooded lung does not scatter.

    It is 1 up to −600 HU and falls linearly to 0 at −100 HU.
    """
    return ((_AIRLESS_FROM - density) / (_AIRLESS_FROM - _AERATED_TO)).clamp(0, 1)


def diameter_factor(diameter_um: float | torch.Tensor) -> float | torch.Tensor:
    """(D0 / D_alv)^0.85 for diameters of air sacs in µm, of any shape; D0 = 200 µm.

    Wider air sacs have less surface in the same volume.
    """
    return (REFERENCE_DIAMETER_UM / diameter_um) ** DIAMETER_EXPONENT
