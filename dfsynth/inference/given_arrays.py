"""What arrays a generator may be called on, by the convention of its checkpoint."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Intensity, IntensityRange

_ROUNDING: Final = 1e-3
"""How far a value may lie outside [0, 1]: half floats do."""


def require_model_inputs(images: NDArray[np.floating], intensity: Intensity) -> None:
    """Requires images (n, H, W) as the convention gives them.

    Of percentiles they are in [0, 1], dense bright; of a range of values any finite numbers.

    Raises:
        ValueError: another shape, whole numbers, or values that the convention never gives.
    """
    if images.ndim != 3:
        raise ValueError(f"expected images of shape (n, H, W), found {images.shape}")
    if not np.issubdtype(images.dtype, np.floating):
        raise ValueError(_whole_numbers(images, intensity))
    low, high = float(images.min(initial=0)), float(images.max(initial=0))
    if isinstance(intensity, IntensityRange):
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError(f"expected finite values, found values from {low:g} to {high:g}")
    # Written so that NaN is refused too.
    elif not -_ROUNDING <= low <= high <= 1 + _ROUNDING:
        raise ValueError(
            f"expected images in [0, 1], dense bright, found values from {low:g} to {high:g}; "
            "`dfsynth.preprocess.to_unit_range` windows them as a build does"
        )


def _whole_numbers(images: NDArray[np.floating], intensity: Intensity) -> str:
    if isinstance(intensity, IntensityRange):
        return (
            f"expected floating-point images, found {images.dtype}; give (value - "
            f"{intensity.low:g}) / {intensity.high - intensity.low:g} of values in {intensity.unit}"
        )
    return (
        f"expected floating-point images in [0, 1], dense bright, found {images.dtype}; divide "
        "by the value that stands for the brightest pixel, 255 of 8 bits"
    )
