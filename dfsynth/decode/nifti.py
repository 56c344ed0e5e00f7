"""NIfTI-1 files of one slice → values, plain or packed by gzip."""

import gzip
import io
import math
import zlib
from typing import Final

import numpy as np

from dfsynth.decode.failures import truncated, wrong_unit
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.decode.values import image_of_values
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.files.nifti_header import (
    NIFTI_HEADER_BYTES,
    NiftiHeader,
    is_nifti,
    parse_nifti_header,
)
from dfsynth.records import DecodedImage, IntensityRange

_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31


def starts_like_nifti(data: bytes) -> bool:
    """Whether a file's bytes, or what they inflate to, begin as a NIfTI file does."""
    if not data.startswith(_GZIP):
        return is_nifti(data)
    try:
        start = zlib.decompressobj(_GZIP_WINDOW).decompress(data, NIFTI_HEADER_BYTES)
    except zlib.error:
        return False
    return is_nifti(start)


def read_nifti(data: bytes, limits: DecodeLimits, expected: IntensityRange) -> DecodedImage:
    """Decodes a NIfTI-1 file of one slice: the scaled values (y, x) of its first two axes.

    They lie as in the file, x from its first axis and y from its second, whatever its orientation,
    because masks and other tools refer to the stored raster.

    Raises:
        ImageError: `multi_frame` for a volume, `wrong_unit` for unsigned integers that nothing
            scales, such as masks; unsupported_format, too_large, truncated, corrupt, non_finite.
    """
    content = _inflated(data, limits) if data.startswith(_GZIP) else data
    header = parse_nifti_header(content)
    if header is None:
        raise truncated("the NIfTI header is damaged or ends early")
    if math.prod(header.lengths[2:]) != 1:
        raise _of_volume(header)
    dtype, scaling = header.values_dtype, header.scaling
    if dtype is None:
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT,
            f"the values are of NIfTI type {header.datatype}; whole or floating-point numbers were "
            "expected; store them as float32",
        )
    if scaling is None and dtype.kind == "u":
        raise wrong_unit("unsigned integers of a NIfTI file that nothing scales", expected.unit)
    width, height = header.lengths[:2]
    # The values, their scaling in float64, and their copies as float32 and in the grid.
    check_size(width, height, dtype.itemsize + 16, limits)
    if len(content) - header.offset < width * height * dtype.itemsize:
        raise truncated("the NIfTI file ends before its last value")
    stored = np.frombuffer(content, dtype, width * height, header.offset).reshape(height, width)
    if scaling is None:
        return image_of_values(stored, pixel_mm=header.pixel_mm)
    slope, intercept = scaling
    with np.errstate(over="ignore", invalid="ignore"):
        values = stored.astype(np.float64) * slope + intercept
    return image_of_values(values, 8 * dtype.itemsize, header.pixel_mm)


def _inflated(data: bytes, limits: DecodeLimits) -> bytes:
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(data)).read(limits.max_bytes + 1)
    except EOFError:
        raise truncated("the packed NIfTI file is cut short") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ImageError(
            ErrorCode.CORRUPT,
            "the packed NIfTI file is damaged; an intact file was expected; get it again",
        ) from error
    if len(content) > limits.max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the NIfTI file inflates to more than the limit of {limits.max_bytes} bytes; store "
            "its slices as files of their own",
        )
    return content


def _of_volume(header: NiftiHeader) -> ImageError:
    lengths = " × ".join(map(str, header.lengths))
    if len(header.lengths) == 3 and not header.has_transverse_slices:
        advice = "store the volume with its third axis from the feet to the head"
    else:
        advice = "give the volume, or the folder that holds it, as the source"
    return ImageError(
        ErrorCode.MULTI_FRAME,
        f"the NIfTI file has {lengths} voxels; one transverse slice was expected; {advice}, or "
        "save its slices as files of their own",
    )
