"""Images as the bytes of a file: PNG, JPEG, WebP."""

from collections.abc import Mapping, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

_QUALITY: Final = 95
_JPEG: Final = (
    *(cv2.IMWRITE_JPEG_QUALITY, _QUALITY),
    # Colour at full resolution: maps are read by it.
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)
PARAMETERS: Final[Mapping[str, Sequence[int]]] = {
    ".png": (),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    # Above 100 the image is kept exactly: maps of colour, small letters.
    ".webp": (cv2.IMWRITE_WEBP_QUALITY, 101),
}
"""Ending, in lower case → how such a file is encoded."""


_THUMBNAIL_QUALITY: Final = 82


def encode_lossy(rgb: NDArray[np.uint8]) -> bytes:
    """A small WebP of an image (y, x, 3) RGB to look at, not to measure in.

    Raises:
        ValueError: not such an array.
    """
    return _encode(rgb, ".webp", (cv2.IMWRITE_WEBP_QUALITY, _THUMBNAIL_QUALITY))


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """The PNG of an image (y, x, 3) RGB.

    Raises:
        ValueError: not such an array.
    """
    return encode_image(rgb, ".png")


def encode_image(rgb: NDArray[np.uint8], suffix: str) -> bytes:
    """The file of an image (y, x, 3) RGB, of the kind that ends in `suffix`, one of `PARAMETERS`.

    PNG and WebP are exact, JPEG is of quality 95.

    Raises:
        ValueError: not such an array, or an image that is too large for the kind of file.
        KeyError: no such kind.
    """
    return _encode(rgb, suffix, PARAMETERS[suffix])


def _encode(rgb: NDArray[np.uint8], suffix: str, parameters: Sequence[int]) -> bytes:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"expected uint8 (y, x, 3), found {rgb.dtype} {rgb.shape}")
    try:
        done, data = cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), parameters)
    except cv2.error:
        done = False
    if not done:
        raise ValueError(f"an image of shape {rgb.shape} cannot be held by a {suffix} file")
    return bytes(data.tobytes())
