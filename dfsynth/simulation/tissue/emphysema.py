"""Emphysema: where walls between air sacs are gone, and how wide the sacs are elsewhere.

One number, the severity s from 0 to 1, sets both the share of the lung that is destroyed and the
widening of the rest, so that the mean coefficient falls to about 0.96 of the healthy one at
s = 0.1 (trace), 0.86 at 0.3 (mild), 0.70 at 0.6 (moderate; Urban et al., 2025) and 0.50 at 1
(confluent or destructive).
"""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.projection.beam import VoxelGrid
from dfsynth.simulation.tissue.field import gaussian_field

DESTROYED_AT_WORST = 0.36
_DESTROYED_EXPONENT = 1.6
WIDENING_AT_WORST = 0.42
"""Relative growth of the air sacs in lung that still stands, at s = 1 [assumed]."""
DESTROYED_DENSITY = 0.035
"""Density over water's of destroyed lung: −965 HU [assumed; below −950 by definition]."""
_SCALES_MM = (7.0, 14.0, 28.0)
"""Fields of several scales added up give clusters of all sizes, as is seen in computed
tomography, where their sizes follow a power law."""
_SEVERITIES = (1.0, 0.6, 0.3, 0.1, 0.0)
_RATIOS = (0.50, 0.70, 0.86, 0.96, 1.0)
"""Mean coefficient over the healthy one at each of them, as above."""
_EDGE = 0.15
"""Width of the step from standing to destroyed lung, in deviations of the field."""


@dataclass(frozen=True, slots=True)
class EmphysemaParameters:
    """One patient's emphysema."""

    severity: float
    """0 none, 1 confluent or destructive."""
    apical_preference: float
    """How much more the upper lung is destroyed than the lower, in deviations from top to
    bottom; negative for disease of the lower lobes."""
    destroyed_diameter_um: tuple[float, float]
    """Least and greatest size of the air spaces where walls are gone."""

    @property
    def destroyed_share(self) -> float:
        """Share of the lung's volume that is destroyed, 0 to 1."""
        return DESTROYED_AT_WORST * self.severity**_DESTROYED_EXPONENT

    @property
    def standing_widening(self) -> float:
        """Size of the air sacs where walls still stand, over the healthy size."""
        return 1 + WIDENING_AT_WORST * self.severity


def draw_emphysema(rng: np.random.Generator, severity: tuple[float, float]) -> EmphysemaParameters:
    """Draws a patient with a severity in the given range [assumed distributions].

    Where the range begins at 0, half of the patients have none; the others are uniform.
    """
    healthy, drawn = rng.random() < 0.5, rng.uniform(*severity)
    return EmphysemaParameters(
        severity=0.0 if healthy and severity[0] == 0 else float(drawn),
        apical_preference=float(rng.normal(1.0, 0.8)),
        destroyed_diameter_um=(400.0, float(rng.uniform(600, 1000))),
    )


def severity_from_ratio(ratio: float) -> float:
    """The severity, 0 to 1, at which the mean coefficient is `ratio` times the healthy one."""
    return float(np.interp(ratio, _RATIOS, _SEVERITIES))


def destroyed_lung(
    parameters: EmphysemaParameters, grid: VoxelGrid, lung: torch.Tensor, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Share of destroyed lung, 0 to 1, and log10 of the size in µm of its air spaces.

    `lung` is the share of lung on the coarse `grid`; all are (planes, rows, columns).
    """
    field = torch.zeros_like(lung)
    for scale_mm in _SCALES_MM:
        field += gaussian_field(grid, scale_mm, rng) / len(_SCALES_MM) ** 0.5
    low, high = np.log10(parameters.destroyed_diameter_um)
    size = float(low) + float(high - low) * torch.special.ndtr(gaussian_field(grid, 15.0, rng))
    inside = lung > 0.5
    if not inside.any() or parameters.severity == 0:
        return torch.zeros_like(lung), size
    rows = torch.nonzero(inside.any(dim=2).any(dim=0))
    top, bottom = int(rows[0]), int(rows[-1])
    height = torch.linspace(0, 1, max(bottom - top, 1) + 1)
    towards_top = torch.full((grid.rows,), 0.5)
    towards_top[top : bottom + 1] = 1 - height[: bottom + 1 - top]
    field += parameters.apical_preference * (towards_top - 0.5)[None, :, None]
    threshold = torch.quantile(field[inside], 1 - parameters.destroyed_share)
    return torch.sigmoid((field - threshold) / (_EDGE / 2)), size
