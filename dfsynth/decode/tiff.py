"""TIFF → image."""

from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.decode.codecs import codec_failures
from dfsynth.decode.failures import corrupt_tiff
from dfsynth.decode.grey import GreyPixels, to_grey
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.decode.tiff_directory import (
    BLACK_IS_ZERO,
    FLOATING,
    PALETTE,
    RGB,
    UNCOMPRESSED,
    UNSIGNED,
    WHITE_IS_ZERO,
    TiffPage,
    check_blocks,
    find_page,
    unsupported,
)
from dfsynth.records import DecodedImage

_COMPRESSIONS: Final = (UNCOMPRESSED, 5, 8, 32773, 32946)


def read_tiff(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a TIFF file of one image: 8 or 16 bits, uncompressed, LZW, Deflate or PackBits.

    Further pages are left aside if they say that they are a smaller copy or a mask of it.

    Raises:
        ImageError: truncated, corrupt, too_large, multi_frame, unsupported_format.
    """
    page = find_page(data)
    _check_supported(page)
    return _grey_image(_decode(data, page, (page.samples + 1) * page.bits // 8, limits), page)


def read_floating_tiff(data: bytes, limits: DecodeLimits) -> NDArray[np.floating] | None:
    """The floating-point numbers (y, x) of a TIFF file; null where it holds no one image of them.

    Of 16, 32 or 64 bits, in any compression that the decoder knows.

    Raises:
        ImageError: truncated, corrupt, too_large, multi_frame, unsupported_format.
    """
    page = find_page(data)
    if page.sample_format != FLOATING or page.samples != 1 or page.bits not in (16, 32, 64):
        return None
    # The values, and their copies as float32 and in the grid.
    pixels = _decode(data, page, page.bits // 8 + 8, limits)
    if pixels.ndim != 2 or pixels.dtype.kind != "f":
        raise corrupt_tiff("decodes to another kind of values than its header gives")
    return pixels


def _decode(data: bytes, page: TiffPage, working_bytes: int, limits: DecodeLimits) -> NDArray[Any]:
    """(y, x), or (y, x, samples)."""
    size_bytes = check_size(page.width, page.height, working_bytes, limits)
    check_blocks(page, len(data), limits)
    with codec_failures(corrupt_tiff("has damaged compressed data"), size_bytes):
        pixels = imagecodecs.tiff_decode(data, page.index)
    if page.separate and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[:2] != (page.height, page.width) or pixels.dtype.itemsize * 8 != page.bits:
        raise corrupt_tiff("decodes to another size than its header gives")
    return pixels


def _grey_image(pixels: GreyPixels, page: TiffPage) -> DecodedImage:
    high = 2**page.bits - 1
    names = {WHITE_IS_ZERO: "MONOCHROME1", BLACK_IS_ZERO: "MONOCHROME2", PALETTE: "PALETTE"}
    photometric = names.get(page.photometric, "RGB" if page.samples == 3 else "RGBA")
    if page.photometric == PALETTE:
        pixels = _look_up(to_grey(pixels), page)
        high = 65535
    grey = to_grey(pixels)
    if page.photometric == WHITE_IS_ZERO:
        grey = np.invert(grey)
    return DecodedImage(grey, 0.0, float(high), page.bits, photometric, None)


def _look_up(indices: GreyPixels, page: TiffPage) -> GreyPixels:
    if page.bits != 8 or len(page.colour_map) != 3 * 256:
        raise corrupt_tiff("has a colour map that does not fit its pixels")
    table = np.array(page.colour_map, np.uint16).reshape(3, 256).T
    grey: GreyPixels = to_grey(table[np.newaxis])[0][indices]
    return grey


def _check_supported(page: TiffPage) -> None:
    if page.sample_format != UNSIGNED:
        raise unsupported("signed or floating-point samples")
    if page.compression not in _COMPRESSIONS:
        raise unsupported(f"compression {page.compression}")
    if page.bits not in (8, 16):
        raise unsupported(f"{page.bits} bits a sample")
    samples = {WHITE_IS_ZERO: (1, 2), BLACK_IS_ZERO: (1, 2), RGB: (3, 4), PALETTE: (1,)}
    if page.samples not in samples.get(page.photometric, ()):
        raise unsupported(
            f"photometric interpretation {page.photometric} with "
            f"{counted(page.samples, 'sample')} a pixel"
        )
