"""What a NIfTI reader passes over in silence: data cut short, values not finite, a slope of 0.

The library fills what is missing with zeros and turns NaN into 0, both of which look like water. It
adds the intercept to values that the header does not scale.
"""

import gzip
import struct
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from dfsynth.errors import ErrorCode
from dfsynth.simulation.ct.volume import refusal

_HEADER_BYTES = 540
_BYTES_AT_ONCE = 1 << 22
_FLOATS = {16: "f4", 64: "f8"}


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a file's values lie."""

    order: str
    offset: int
    size_bytes: int
    datatype: int
    slope: float
    intercept: float


def check_nifti(key: str, path: Path) -> None:
    """Goes through the file once.

    Raises:
        ImageError: the header is none, bytes are missing, or a value is not finite.
    """
    try:
        with _opened(path) as file:
            _check_stream(key, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refusal(ErrorCode.TRUNCATED, key, "its compressed data are cut short") from error


def added_intercept(path: Path) -> float:
    """What SimpleITK adds to every value of a file that `check_nifti` passed, and should not.

    In NIfTI-1 and 2 values are slope · stored + intercept where the slope is not 0, and as they are
    stored where it is; the library takes a slope of 0 for 1, and adds the intercept.
    """
    with _opened(path) as file:
        layout = _read_layout(file.read(_HEADER_BYTES))
    return layout.intercept if layout is not None and layout.slope == 0 else 0.0


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


def _check_stream(key: str, file: gzip.GzipFile | BufferedReader) -> None:
    header = file.read(_HEADER_BYTES)
    layout = _read_layout(header)
    if layout is None:
        raise refusal(ErrorCode.NOT_AN_IMAGE, key, "it has no NIfTI header")
    file.seek(layout.offset)
    dtype = _FLOATS.get(layout.datatype)
    left = layout.size_bytes
    while left:
        block = file.read(min(left, _BYTES_AT_ONCE))
        if not block:
            raise refusal(
                ErrorCode.TRUNCATED,
                key,
                f"it is cut short: {left} of {layout.size_bytes} bytes of voxels are missing",
            )
        left -= len(block)
        whole = len(block) // 8 * 8
        if dtype and not np.isfinite(np.frombuffer(block[:whole], layout.order + dtype)).all():
            raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")


def _read_layout(header: bytes) -> _Layout | None:
    """NIfTI-1 or NIfTI-2 of either byte order; None where it is neither."""
    for order in ("<", ">"):
        if len(header) >= 348 and struct.unpack_from(order + "i", header)[0] == 348:
            dims = struct.unpack_from(order + "8h", header, 40)
            datatype, bits = struct.unpack_from(order + "2h", header, 70)
            offset, slope, intercept = struct.unpack_from(order + "3f", header, 108)
        elif len(header) >= 540 and struct.unpack_from(order + "i", header)[0] == 540:
            dims = struct.unpack_from(order + "8q", header, 16)
            datatype, bits = struct.unpack_from(order + "2h", header, 12)
            offset, slope, intercept = struct.unpack_from(order + "q2d", header, 168)
        else:
            continue
        count = 1
        for length in dims[1 : 1 + min(max(dims[0], 0), 7)]:
            count *= max(int(length), 0)
        size_bytes = count * max(bits, 0) // 8
        return _Layout(order, max(int(offset), 0), size_bytes, datatype, slope, intercept)
    return None
