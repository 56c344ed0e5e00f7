"""JPEG → image, and the JPEG frames inside DICOM."""

import re
from typing import Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dfsynth.decode.codecs import codec_failures
from dfsynth.decode.codestream import (
    JPEG_BASELINE,
    JPEG_EXTENDED,
    JPEG_LOSSLESS,
    JPEG_PROGRESSIVE,
    Codestream,
    Colours,
    jpeg_header,
)
from dfsynth.decode.failures import truncated, undecodable_jpeg
from dfsynth.decode.grey import GreyPixels, to_grey
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage

_LOSSY: Final = (JPEG_BASELINE, JPEG_EXTENDED, JPEG_PROGRESSIVE)
_PROBE: Final = bytes(range(128)) * 2
"""Entropy-coded bytes without a marker among them, nor with a byte 0xFF before them."""
_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")


def read_jpeg(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a JPEG file: sequential or progressive, 8 or 12 bits, grey or colour.

    Raises:
        ImageError: truncated, corrupt, too_large, unsupported_format.
    """
    header = jpeg_header(data)
    if header.process not in _LOSSY or header.components not in (1, 3):
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT,
            f"the JPEG file uses process {header.process - JPEG_BASELINE} with "
            f"{header.components} components; sequential or progressive JPEG, grey or colour, was "
            "expected; save it as PNG",
        )
    check_size(header.width, header.height, bytes_a_pixel(header), limits)
    return DecodedImage(
        pixels=jpeg_pixels(data, header, header.colours or "YCBCR"),
        low=0.0,
        high=float(2**header.precision - 1),
        bits=header.precision,
        photometric="MONOCHROME2" if header.components == 1 else "RGB",
        pixel_mm=None,
    )


def bytes_a_pixel(header: Codestream) -> int:
    """What decoding a JPEG takes: coefficients of two bytes, and the image in one component."""
    return 3 + 2 * header.components


def jpeg_pixels(data: bytes, header: Codestream, colours: Colours) -> GreyPixels:
    """Luma of a JPEG codestream, lossless ones too: (y, x), uint8 up to 8 bits, else uint16.

    Args:
        data: the codestream.
        header: its header.
        colours: how three components are coded; of no meaning to grey images.

    Raises:
        ImageError: `corrupt`, or `truncated` if the data end early although the end marker is
            there.
    """
    pixels = _decode(data, header, colours)
    if pixels.shape != (header.height, header.width):
        raise undecodable_jpeg()
    if _may_end_early(pixels, header):
        with_more = _decode(_with_more_data(data, header), header, colours)
        if not np.array_equal(with_more, pixels):
            raise truncated("the JPEG data hold only the upper part of the image")
    return pixels


def _with_more_data(data: bytes, header: Codestream) -> bytes:
    """The same with bytes to decode put before its end marker, and a restart with more of them.

    The decoder may have run out of data inside a restart interval, or where the next one begins.
    """
    restarts = len(_RESTART.findall(data, data.rfind(b"\xff\xda", 0, header.end), header.end))
    next_restart = bytes((0xFF, 0xD0 + restarts % 8))
    return data[: header.end] + _PROBE + next_restart + _PROBE + data[header.end :]


def _may_end_early(pixels: GreyPixels, header: Codestream) -> bool:
    """Whether the last corner looks like what the decoder puts where data are missing.

    That is mid-grey for lossy JPEG and the bare prediction for lossless JPEG. Real images may
    look so too; then bytes put before the end marker decide: they change the image only if it
    had run out of data.
    """
    if header.process == JPEG_LOSSLESS:
        return _is_bare_prediction(pixels[-2:, -9:].astype(np.int32))
    return bool((pixels[-8:, -8:] == 1 << (header.precision - 1)).all())


def _is_bare_prediction(corner: NDArray[np.int32]) -> bool:
    """Whether one of the seven predictors of ITU-T T.81, H.1.2.1, gives the whole last row."""
    if corner.shape[0] < 2:
        return True
    above_left, above = corner[0, :-1], corner[0, 1:]
    left, found = corner[1, :-1], corner[1, 1:]
    predictions = (
        *(left, above, above_left, left + above - above_left),
        *(left + (above - above_left >> 1), above + (left - above_left >> 1), left + above >> 1),
    )
    return any(bool((found == prediction).all()) for prediction in predictions)


def _decode(data: bytes, header: Codestream, colours: Colours) -> GreyPixels:
    coding = colours if header.components == 3 else None
    lossless = header.process == JPEG_LOSSLESS
    # The decoder converts the colours of lossy JPEG alone.
    wanted = coding if lossless else "GRAYSCALE"
    size_bytes = header.width * header.height * bytes_a_pixel(header)
    with codec_failures(undecodable_jpeg(), size_bytes):
        found = imagecodecs.jpeg8_decode(data, colorspace=coding, outcolorspace=wanted)
    return to_grey(found[..., :1] if lossless and coding == "YCBCR" else found)
