"""Bytes → image: the one entry of this stage."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import numpy as np

from dfsynth.decode.dicom import read_dicom, read_dicom_values
from dfsynth.decode.jpeg import read_jpeg
from dfsynth.decode.limits import DecodeLimits
from dfsynth.decode.png import read_png
from dfsynth.decode.sniff import Format, sniff
from dfsynth.decode.tiff import read_tiff
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage

_DEFAULT_LIMITS: Final = DecodeLimits()
_Reader: TypeAlias = Callable[[bytes, DecodeLimits], DecodedImage]
_READERS: Final[Mapping[Format, _Reader]] = {
    Format.PNG: read_png,
    Format.JPEG: read_jpeg,
    Format.TIFF: read_tiff,
    Format.DICOM: read_dicom,
}
_VALUE_READERS: Final[Mapping[Format, _Reader]] = {
    **_READERS,
    Format.DICOM: read_dicom_values,
}


def decode(data: bytes, limits: DecodeLimits = _DEFAULT_LIMITS) -> DecodedImage:
    """Decodes one radiograph: PNG, JPEG, TIFF or DICOM, told apart by content.

    `pixels` is (y, x) as stored: an EXIF or DICOM orientation is not applied, because masks, boxes
    and other tools refer to the stored raster. Colour becomes luma (ITU-R BT.601); alpha is
    ignored. 8 and 16 bits stay uint8 and uint16; 1, 2 and 4 bits are spread to 0..255; DICOM
    values that went through a look-up table, a rescaling or a window are float32. `pixel_mm`
    comes from DICOM only: PNG, JPEG and TIFF resolutions are those of a print.

    Polarity is what the file declares (MONOCHROME1, WhiteIsZero, presentation LUT shape INVERSE);
    a file that declares it wrongly comes out inverted and is for an out-of-distribution score to
    find.

    Thread-safe: no process-wide setting is touched, and the codecs release the GIL.

    Raises:
        ImageError: whatever is wrong with the file; nothing else on account of its content.
    """
    return _decode(data, limits, _READERS)


def decode_values(data: bytes, limits: DecodeLimits = _DEFAULT_LIMITS) -> DecodedImage:
    """Decodes one image of measured values, such as a dark-field signal.

    As `decode`, but windows and VOI look-up tables of DICOM are left aside: they are a way to look
    at values (PS3.3 C.11.2), and no part of them. Without a rescaling, values are the integers of
    the file.

    Raises:
        ImageError: whatever is wrong with the file.
    """
    return _decode(data, limits, _VALUE_READERS)


def _decode(data: bytes, limits: DecodeLimits, readers: Mapping[Format, _Reader]) -> DecodedImage:
    require_bytes(data, limits)
    image = readers[sniff(data)](data, limits)
    check_values(image)
    return image


def require_bytes(data: bytes, limits: DecodeLimits) -> None:
    """Requires a file of no more bytes than are decoded.

    Raises:
        ImageError: `too_large`.
    """
    if len(data) > limits.max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the file has {len(data)} bytes, more than the limit of {limits.max_bytes}; store "
            "the image compressed or smaller",
        )


def check_values(image: DecodedImage) -> None:
    """Requires finite values and contrast.

    Raises:
        ImageError: `non_finite` or `constant`.
    """
    lowest, highest = float(image.pixels.min()), float(image.pixels.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise ImageError(
            ErrorCode.NON_FINITE,
            "the image has values that are not finite after the rescaling of its header; "
            "finite ones were expected; correct the header",
        )
    if lowest == highest:
        raise ImageError(
            ErrorCode.CONSTANT,
            f"every pixel has the same value, {lowest:g}; an image with contrast was expected; "
            "leave the file out",
        )
