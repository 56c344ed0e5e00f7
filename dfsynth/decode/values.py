"""Numbers as they are → image: no scale is put on them, and nothing is turned."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage


def image_of_values(
    values: NDArray[Any], bits: int | None = None, pixel_mm: float | None = None
) -> DecodedImage:
    """Values (y, x) of any type of number as float32, unscaled.

    `low` and `high` are the smallest and the largest of them. `bits` are those stored per value
    in the file, which are those of its type by default.

    Raises:
        ImageError: `non_finite` for values that are not finite as float32.
    """
    with np.errstate(over="ignore"):
        pixels = np.ascontiguousarray(values, np.float32)
    if not np.isfinite(pixels).all():
        raise ImageError(
            ErrorCode.NON_FINITE,
            f"{np.count_nonzero(~np.isfinite(pixels))} pixels are not finite as float32; finite "
            "ones were expected; fill them, or leave the image out",
        )
    return DecodedImage(
        pixels=pixels,
        low=float(pixels.min()),
        high=float(pixels.max()),
        bits=8 * values.dtype.itemsize if bits is None else bits,
        photometric="MONOCHROME2",
        pixel_mm=pixel_mm,
    )
