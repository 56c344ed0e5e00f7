"""What is scanned: one slice, described by its coefficients."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class SliceObject:
    """A slice of coefficients on a square grid of even side, all maps (y, x), y downwards.

    The object lies inside the field of view, the circle inscribed in the grid.
    """

    mu_per_m: Float32Map
    """Linear attenuation coefficient in 1/m, ≥ 0."""
    dark_field_per_m: Float32Map
    """Dark-field coefficient in 1/m, ≥ 0; about 2.5 in a healthy lung."""
    lung_mask: NDArray[np.uint8]
    """1 in lung, 0 elsewhere."""
    air_mask: NDArray[np.uint8]
    """1 in the air outside the body and inside the field of view, 0 elsewhere."""
    pixel_mm: float
    """Side of a pixel in mm."""
    parameters: Mapping[str, float | int | str | bool | None]
    """Everything that was drawn, by name."""
