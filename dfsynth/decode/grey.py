"""Channels → one grey channel."""

from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.decode.codecs import opencv_failures
from dfsynth.errors import ErrorCode, ImageError

GreyPixels: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]


def to_grey(pixels: GreyPixels) -> GreyPixels:
    """Luma (ITU-R BT.601) of (y, x), (y, x, 1), grey with alpha, RGB or RGBA; alpha is ignored.

    Equal channels come out unchanged, so that a grey image saved as RGBA equals itself.

    Returns:
        (y, x) of the same type, C-contiguous.

    Raises:
        ImageError: `corrupt` for any other shape or type.
    """
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3):
        raise _unexpected(pixels)
    if pixels.ndim == 2:
        return cast(GreyPixels, np.ascontiguousarray(pixels))
    channels = pixels.shape[2]
    if channels in (1, 2):
        return cast(GreyPixels, np.ascontiguousarray(pixels[..., 0]))
    if channels not in (3, 4):
        raise _unexpected(pixels)
    code = cv2.COLOR_RGB2GRAY if channels == 3 else cv2.COLOR_RGBA2GRAY
    with opencv_failures():
        return cast(GreyPixels, cv2.cvtColor(np.ascontiguousarray(pixels), code))


def _unexpected(pixels: GreyPixels) -> ImageError:
    return ImageError(
        ErrorCode.CORRUPT,
        f"the decoder gave an array of shape {pixels.shape} and type {pixels.dtype}; one to four "
        "channels of 8 or 16 bits were expected; save the file again",
    )
