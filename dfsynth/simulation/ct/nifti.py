"""NIfTI volumes: what their headers state, and their values, read without SimpleITK.

SimpleITK passes over in silence what matters here: it fills what is missing with zeros and turns
NaN into 0, both of which look like water; adds the intercept where the slope of 0 says that nothing
is scaled; and takes one of two forms that contradict each other. Only the geometry is left to it.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode
from dfsynth.simulation.ct.volume import refusal

_HEADER_BYTES: Final = 348
_NIFTI_2_BYTES: Final = 540
_BYTES_AT_ONCE: Final = 1 << 22
_MOST_BYTES_BEFORE_DATA: Final = 1 << 24
"""Of a header with its extensions."""
_MOST_PACKING: Final = 1100
"""Deflate makes of one byte no more than 1,032."""
_DTYPES: Final = {
    **{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"},
    **{256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"},
}
_LEAST_AGREEMENT: Final = 0.5
"""Cosine between an axis of both forms: templates turn a volume by some degrees, not by 60."""
_AXES: Final = ("LR", "PA", "IS")
"""Where each axis of NIfTI's world comes from and leads to."""


@dataclass(frozen=True, slots=True)
class NiftiHeader:
    """What a header states of its values and of the patient's sides."""

    order: str
    """`<` or `>`, as `struct` has it."""
    lengths: tuple[int, ...]
    """Voxels along each axis, the fastest first."""
    offset: int
    """Where the values begin."""
    datatype: int
    slope: float
    intercept: float
    forms: tuple[tuple[str, int, NDArray[np.float64]], ...]
    """Of each of qform and sform whose code is not 0: name, code, and directions (3, 3), a column
    for each axis of the voxels."""


def read_nifti_header(key: str, path: Path) -> NiftiHeader:
    """Reads the header of a NIfTI-1 file of either byte order, packed or not.

    Raises:
        ImageError: it is none, or of NIfTI-2; its values begin at no sensible place or in another
            file; or it states no orientation, or two that contradict each other.
    """
    try:
        with _open(path) as file:
            content = file.read(_HEADER_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refusal(ErrorCode.TRUNCATED, key, "its compressed data are cut short") from error
    header = _parse(key, content)
    if header is None:
        raise refusal(ErrorCode.NOT_AN_IMAGE, key, "it has no NIfTI header")
    _check_forms(key, header)
    return header


def read_nifti_values(key: str, path: Path, header: NiftiHeader) -> NDArray[Any]:
    """The scaled values (planes, rows, columns) of a volume, in the axes of its file.

    They are scaled where the slope is neither 0 nor no number, as the standard has it.

    Raises:
        ImageError: values are of a type that CT has not, missing, or not finite.
    """
    dtype = _DTYPES.get(header.datatype)
    if dtype is None:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values are of NIfTI type {header.datatype}; expected whole or floating-point "
            "numbers",
        )
    shape = header.lengths[2::-1]
    try:
        stored = _read_stored(key, path, header, np.dtype(header.order + dtype), math.prod(shape))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refusal(ErrorCode.TRUNCATED, key, "its compressed data are cut short") from error
    values = _scaled(key, stored.reshape(shape), header)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise refusal(ErrorCode.NON_FINITE, key, "some of its values are not finite")
    return values


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")


def _parse(key: str, content: bytes) -> NiftiHeader | None:
    sizes = {order: struct.unpack(order + "i", content[:4]) for order in "<>" if content[3:]}
    if (_NIFTI_2_BYTES,) in sizes.values():
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT, key, "it is a NIfTI-2 file; store the volume as NIfTI-1"
        )
    order = next((order for order, (size,) in sizes.items() if size == _HEADER_BYTES), None)
    if order is None or len(content) < _HEADER_BYTES or content[344:347] not in (b"n+1", b"ni1"):
        return None
    if content[344:347] == b"ni1":
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its voxels lie in another file; store the volume in one file",
        )
    axes, *dims = struct.unpack_from(order + "8h", content, 40)
    (datatype,) = struct.unpack_from(order + "h", content, 70)
    offset, slope, intercept = struct.unpack_from(order + "3f", content, 108)
    lengths = tuple(max(length, 0) for length in dims[: max(axes, 0)])
    return NiftiHeader(
        order=order,
        lengths=(*lengths, *(1,) * (3 - len(lengths))),
        offset=_sensible_offset(key, offset),
        datatype=datatype,
        slope=slope,
        intercept=intercept,
        forms=tuple(_forms(content, order)),
    )


def _sensible_offset(key: str, offset: float) -> int:
    """Zero, which some writers leave there, is behind the header."""
    if not (math.isfinite(offset) and 0 <= offset <= _MOST_BYTES_BEFORE_DATA):
        raise refusal(
            ErrorCode.CORRUPT,
            key,
            f"its header says that its values begin at byte {offset:g}; expected a place behind "
            f"the header, at most byte {_MOST_BYTES_BEFORE_DATA}",
        )
    return max(int(offset), _HEADER_BYTES + 4)


def _forms(content: bytes, order: str) -> Iterator[tuple[str, int, NDArray[np.float64]]]:
    q_code, s_code = struct.unpack_from(order + "2h", content, 252)
    if q_code > 0:
        (side,) = struct.unpack_from(order + "f", content, 76)
        b, c, d = struct.unpack_from(order + "3f", content, 256)
        yield "qform", q_code, _rotation(b, c, d, -1.0 if side < 0 else 1.0)
    if s_code > 0:
        rows = np.array(struct.unpack_from(order + "12f", content, 280), np.float64)
        yield "sform", s_code, rows.reshape(3, 4)[:, :3]


def _rotation(b: float, c: float, d: float, side: float) -> NDArray[np.float64]:
    """The directions that a unit quaternion states, method 2 of nifti1.h."""
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), side * 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, side * 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), side * (a * a + d * d - b * b - c * c)],
        ]
    )


def _check_forms(key: str, header: NiftiHeader) -> None:
    """Without a stated orientation, or with two, nobody knows left from right."""
    if not header.forms:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            "its header states no orientation (qform and sform codes are 0)",
        )
    first, last = header.forms[0][2], header.forms[-1][2]
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(first, axis=0) * np.linalg.norm(last, axis=0)
        agreement = (first * last).sum(axis=0) / lengths
    # Written so that axes of no length disagree.
    if not (agreement > _LEAST_AGREEMENT).all():
        found = " and ".join(f"{name} (code {code}) {_sides(d)}" for name, code, d in header.forms)
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its header states two orientations that contradict each other, {found}; set the "
            "code of the wrong one to 0",
        )


def _sides(directions: NDArray[np.float64]) -> str:
    """Where columns, rows and planes lead in the patient, as in RAS; `?` for no length."""
    sides = ""
    for column in directions.T:
        axis = int(np.abs(column).argmax())
        length = float(column[axis])
        sides += _AXES[axis][length > 0] if length and math.isfinite(length) else "?"
    return sides


def _read_stored(
    key: str, path: Path, header: NiftiHeader, dtype: np.dtype[Any], count: int
) -> NDArray[Any]:
    expected = count * dtype.itemsize
    with _open(path) as file:
        packing = _MOST_PACKING if isinstance(file, gzip.GzipFile) else 1
        # Before memory is reserved for what the header claims.
        if expected > packing * path.stat().st_size:
            raise _missing(key, expected, expected)
        file.seek(header.offset)
        stored = np.empty(expected, np.uint8)
        done = 0
        while done < expected:
            block = file.read(min(expected - done, _BYTES_AT_ONCE))
            if not block:
                raise _missing(key, expected - done, expected)
            stored[done : done + len(block)] = np.frombuffer(block, np.uint8)
            done += len(block)
    return stored.view(dtype).astype(dtype.newbyteorder("="), copy=False)


def _missing(key: str, missing: int, expected: int) -> Exception:
    return refusal(
        ErrorCode.TRUNCATED,
        key,
        f"it is cut short: {missing} of {expected} bytes of voxels are missing",
    )


def _scaled(key: str, stored: NDArray[Any], header: NiftiHeader) -> NDArray[Any]:
    slope, intercept = header.slope, header.intercept
    if not math.isfinite(slope) or slope == 0 or (slope, intercept) == (1.0, 0.0):
        return stored
    if not math.isfinite(intercept):
        raise refusal(ErrorCode.CORRUPT, key, "its header has a slope without an intercept")
    values = np.empty(stored.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for plane, scaled in zip(stored, values, strict=True):
            scaled[:] = plane.astype(np.float64) * slope + intercept
    return values
