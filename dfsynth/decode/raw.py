"""Bare pixels without a header → image, by a layout that the corpus gives."""

import numpy as np

from dfsynth.decode.decoder import check_values, decode
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage, RawLayout


def decode_raw(data: bytes, limits: DecodeLimits, layout: RawLayout) -> DecodedImage:
    """Decodes a file of bare pixels, row by row from the top; another file as `decode` does.

    `pixels` is (y, x) uint16, 0 to 2^bits - 1, dense tissue bright. `pixel_mm` is null.

    Raises:
        ImageError: a file of another size that is no image either, values beyond the bits in use,
            an image without contrast, or what `decode` raises.
    """
    sample_bytes = 1 if layout.bits <= 8 else 2
    size = layout.width * layout.height * sample_bytes
    if len(data) != size:
        return _other_file(data, limits, layout, size)
    check_size(layout.width, layout.height, 2 * sample_bytes, limits)
    kind = f"{'>' if layout.big_endian else '<'}u{sample_bytes}"
    pixels = np.frombuffer(data, kind).reshape(layout.height, layout.width).astype(np.uint16)
    highest = 2**layout.bits - 1
    if pixels.max() > highest:
        raise ImageError(
            ErrorCode.CORRUPT,
            f"the file holds the value {pixels.max()}, more than {layout.bits} bits can say; "
            "expected the byte order and bits that the corpus file gives; get the file again",
        )
    if layout.inverted:
        pixels = (highest - pixels).astype(np.uint16)
    photometric = "MONOCHROME1" if layout.inverted else "MONOCHROME2"
    image = DecodedImage(pixels, 0.0, float(highest), layout.bits, photometric, None)
    check_values(image)
    return image


def _other_file(data: bytes, limits: DecodeLimits, layout: RawLayout, size: int) -> DecodedImage:
    try:
        return decode(data, limits)
    except ImageError as error:
        if error.code is not ErrorCode.NOT_AN_IMAGE:
            raise
        raise ImageError(
            ErrorCode.TRUNCATED if len(data) < size else ErrorCode.CORRUPT,
            f"the file has {len(data)} bytes; expected {size}, for {layout.width} × "
            f"{layout.height} pixels of {layout.bits} bits; get the file again",
        ) from None
