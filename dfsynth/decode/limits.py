"""What decoding may cost, asked of a header before anything is decoded."""

from dataclasses import dataclass
from typing import Final

from dfsynth.errors import ErrorCode, ImageError

WORKING_BYTES_PER_PIXEL: Final = 16
"""Memory that decoding may take for each pixel of `max_pixels`.

Ten bytes hold 16-bit RGBA and its grey copy, fourteen the planes of a grey JPEG 2000. With the
default of 40 million pixels that is 640 MB; what would need more is refused at fewer pixels.
"""


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """The largest file and the largest image that are decoded."""

    max_pixels: int = 40_000_000
    """Rows × columns. Radiographs reach 20 million, digitised films 30."""
    max_bytes: int = 256 * 1024**2
    """Size of the file, and of what a deflated DICOM data set inflates to."""


def limits_of(max_pixels: int | None, max_bytes: int | None) -> DecodeLimits:
    """The limits that a user asked for; the usual ones where they are null."""
    usual = DecodeLimits()
    return DecodeLimits(max_pixels or usual.max_pixels, max_bytes or usual.max_bytes)


def check_size(width: int, height: int, working_bytes: int, limits: DecodeLimits) -> int:
    """Refuses an image of `width` × `height` that takes `working_bytes` a pixel to decode.

    Returns:
        What all pixels take, in bytes.

    Raises:
        ImageError: `corrupt` if a side is zero, `too_large` above the limits.
    """
    if width < 1 or height < 1:
        raise ImageError(
            ErrorCode.CORRUPT,
            f"the header gives an image of {width} × {height} pixels; both sides must be at "
            "least 1; get the file again",
        )
    pixels = width * height
    if pixels > limits.max_pixels:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the image has {width} × {height} pixels, more than the limit of "
            f"{limits.max_pixels}; scale it down first",
        )
    if pixels * working_bytes > limits.max_pixels * WORKING_BYTES_PER_PIXEL:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"decoding {width} × {height} pixels of this kind takes about "
            f"{pixels * working_bytes // 1_000_000} MB, more than the limit of "
            f"{limits.max_pixels * WORKING_BYTES_PER_PIXEL // 1_000_000} MB; save it as grey, "
            "or scale it down first",
        )
    return pixels * working_bytes
