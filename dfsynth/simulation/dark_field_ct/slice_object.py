"""What lies in the scanner: a transverse slice of known attenuation and dark-field."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, Parameter


@dataclass(frozen=True, slots=True)
class SliceObject:
    """A square transverse slice (y, x) seen from the feet: y grows downwards, to the back.

    The field of view of a scan is the circle inscribed in the square; what lies outside it is air
    or goes unseen.

    Raises:
        ValueError: arrays of another shape or type than said here, values that are negative or
            not finite, masks that overlap or hold anything but 0 and 1, or a pitch that is not
            positive.
    """

    mu_per_m: Float32Map
    """Linear attenuation coefficient at the scanner's tube voltage, 1/m, ≥ 0."""
    dark_field_per_m: Float32Map
    """Dark-field coefficient eps, 1/m, ≥ 0; 0 in all that does not scatter."""
    lung_mask: NDArray[np.uint8]
    """1 in lung, its vessels and small airways included as an outlined lung has them; else 0."""
    air_mask: NDArray[np.uint8]
    """1 in the air outside the body but inside the field of view; else 0."""
    pixel_mm: float
    """Pitch of the pixels, in mm, the same along both axes."""
    parameters: Mapping[str, Parameter]
    """All that was drawn for this slice, by names that tell their units."""

    def __post_init__(self) -> None:
        side = self.mu_per_m.shape[0]
        for name, kind in _ARRAYS.items():
            values = getattr(self, name)
            if values.shape != (side, side) or side % 2 or side == 0:
                raise ValueError(
                    f"{name} is {' x '.join(map(str, values.shape))}; expected a square (y, x) "
                    f"with an even side, like mu_per_m with {side} rows"
                )
            if values.dtype != kind:
                raise ValueError(f"{name} is {values.dtype}; expected {np.dtype(kind)}")
        for name in ("mu_per_m", "dark_field_per_m"):
            values = getattr(self, name)
            if not np.isfinite(values).all() or values.min() < 0:
                raise ValueError(f"{name} has values that are negative or not finite; expected ≥ 0")
        for name in ("lung_mask", "air_mask"):
            if getattr(self, name).max() > 1:
                raise ValueError(f"{name} has the label {getattr(self, name).max()}; expected 0, 1")
        if np.any(self.lung_mask & self.air_mask):
            raise ValueError("lung_mask and air_mask overlap; expected them to be disjoint")
        if not (math.isfinite(self.pixel_mm) and self.pixel_mm > 0):
            raise ValueError(f"the pixel pitch is {self.pixel_mm} mm; expected more than 0 mm")

    @property
    def size(self) -> int:
        """Pixels along each side."""
        return self.mu_per_m.shape[0]


_ARRAYS = {
    "mu_per_m": np.float32,
    "dark_field_per_m": np.float32,
    "lung_mask": np.uint8,
    "air_mask": np.uint8,
}
