"""NIfTI volumes: what their headers state, and their values, read without SimpleITK.

SimpleITK passes over in silence what matters here: it fills what is missing with zeros and turns
NaN into 0, both of which look like water; adds the intercept where the slope of 0 says that nothing
is scaled; and takes one of two forms that contradict each other. Only the geometry is left to it.
"""

import gzip
import math
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError
from dfsynth.files.nifti_header import NIFTI_HEADER_BYTES, NiftiHeader, parse_nifti_header
from dfsynth.simulation.volumes.candidate import refusal

_BYTES_AT_ONCE: Final = 1 << 22
_MOST_PACKING: Final = 1100
"""Deflate makes of one byte no more than 1,032."""
_LEAST_AGREEMENT: Final = 0.5
"""Cosine between an axis of both forms: templates turn a volume by some degrees, not by 60."""
_AXES: Final = ("LR", "PA", "IS")
"""Where each axis of NIfTI's world comes from and leads to."""


def read_nifti_header(key: str, path: Path) -> NiftiHeader:
    """Reads the header of a NIfTI-1 file of either byte order, packed or not.

    Raises:
        ImageError: it is none, or of NIfTI-2; its values begin at no sensible place or in another
            file; or it states no orientation, or two that contradict each other.
    """
    try:
        with _open(path) as file:
            content = file.read(NIFTI_HEADER_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise refusal(ErrorCode.TRUNCATED, key, "its compressed data are cut short") from error
    try:
        header = parse_nifti_header(content)
    except ImageError as error:
        raise refusal(error.code, key, str(error)) from error
    if header is None:
        raise refusal(ErrorCode.NOT_AN_IMAGE, key, "it has no NIfTI header")
    _check_forms(key, header)
    return header


def read_nifti_values(key: str, path: Path, header: NiftiHeader) -> NDArray[Any]:
    """The scaled values (planes, rows, columns) of a volume, in the axes of its file.

    They are scaled where the slope is neither 0 nor no number, as the standard has it.

    Raises:
        ImageError: values are of a type that volumes have not, missing, or not finite.
    """
    dtype = header.values_dtype
    if dtype is None:
        raise refusal(
            ErrorCode.UNSUPPORTED_FORMAT,
            key,
            f"its values are of NIfTI type {header.datatype}; expected whole or floating-point "
            "numbers",
        )
    shape = header.lengths[2::-1]
    try:
        stored = _read_stored(key, path, header, dtype, math.prod(shape))
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
    try:
        scaling = header.scaling
    except ImageError as error:
        raise refusal(error.code, key, str(error)) from error
    if scaling is None:
        return stored
    slope, intercept = scaling
    values = np.empty(stored.shape, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for plane, scaled in zip(stored, values, strict=True):
            scaled[:] = plane.astype(np.float64) * slope + intercept
    return values
