"""NumPy files of one image, read without trust in what their header claims."""

import io
import tokenize
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.errors import ErrorCode, ImageError

_MAGIC: Final = b"\x93NUMPY"
_HEADER_READERS: Final = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Version 3.0 is for names of fields, of which an image has none."""
_HEADER_ERRORS: Final = (
    ArithmeticError,
    LookupError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
)
"""What NumPy raises for headers that it cannot read."""


def is_numpy(data: bytes) -> bool:
    """Whether a file's bytes begin as a NumPy file does."""
    return data.startswith(_MAGIC)


def read_numpy(data: bytes, limits: DecodeLimits) -> NDArray[np.floating]:
    """The floating-point numbers (y, x) of a NumPy file; nothing is ever unpickled.

    An axis of one in front or behind, (1, y, x) or (y, x, 1), is left out.

    Raises:
        ImageError: corrupt, unsupported_format, too_large, truncated.
    """
    shape, fortran_order, dtype, start = _read_header(data)
    if len(shape) == 3 and 1 in (shape[0], shape[2]):
        shape = shape[1:] if shape[0] == 1 else shape[:2]
    if len(shape) != 2 or dtype.kind != "f":
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT,
            f"an array of {dtype.name}, {len(shape)}-dimensional; floating-point numbers (y, x) "
            "were expected; save one image as float32",
        )
    height, width = shape
    # The values, and their copies as float32 and in the grid.
    check_size(width, height, dtype.itemsize + 8, limits)
    expected, found = height * width * dtype.itemsize, len(data) - start
    if found < expected:
        raise ImageError(
            ErrorCode.TRUNCATED,
            f"the NumPy file has {found} bytes of values where its header asks for {expected}; a "
            "whole file was expected; write it again with numpy.save",
        )
    values = np.frombuffer(data, dtype, count=height * width, offset=start)
    return values.reshape(shape, order="F" if fortran_order else "C")


def _read_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether columns come first, type, and where the values begin."""
    file = io.BytesIO(data)
    try:
        shape, fortran_order, dtype = _HEADER_READERS[np.lib.format.read_magic(file)](file)
    except _HEADER_ERRORS as error:
        raise ImageError(
            ErrorCode.CORRUPT,
            "no readable NumPy array: its header is damaged; write it again with numpy.save",
        ) from error
    return shape, fortran_order, dtype, file.tell()
