"""The header of a NIfTI-1 file: what it states of its values, and nothing read from a disk."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.errors import ErrorCode, ImageError

NIFTI_HEADER_BYTES: Final = 348
_NIFTI_2_BYTES: Final = 540
_MOST_BYTES_BEFORE_DATA: Final = 1 << 24
"""Of a header with its extensions."""
_DTYPES: Final = {
    **{2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8"},
    **{256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"},
}
_SPACE_UNIT: Final = 7
"""The bits of `xyzt_units` that are about lengths."""
_MM_IN_UNIT: Final = {1: 1000.0, 2: 1.0, 3: 1e-3}


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
    pixel_mm: float | None
    """Pitch of the pixels of a slice, geometric mean of both axes; null where it states none."""
    forms: tuple[tuple[str, int, NDArray[np.float64]], ...]
    """Of each of qform and sform whose code is not 0: name, code, and directions (3, 3), a column
    for each axis of the voxels."""

    @property
    def values_dtype(self) -> np.dtype[Any] | None:
        """The type of the stored values; null for colours and complex numbers."""
        name = _DTYPES.get(self.datatype)
        return None if name is None else np.dtype(self.order + name)

    @property
    def scaling(self) -> tuple[float, float] | None:
        """Slope and intercept; null where the stored values are the values.

        Raises:
            ImageError: a slope without an intercept.
        """
        if not math.isfinite(self.slope) or self.slope == 0:
            return None
        if not math.isfinite(self.intercept):
            raise ImageError(ErrorCode.CORRUPT, "its header has a slope without an intercept")
        return None if (self.slope, self.intercept) == (1.0, 0.0) else (self.slope, self.intercept)

    @property
    def has_transverse_slices(self) -> bool:
        """Whether the third axis leads from the feet to the head or back, or nothing is stated."""
        return not self.forms or int(np.abs(self.forms[-1][2][:, 2]).argmax()) == 2


def is_nifti(content: bytes) -> bool:
    """Whether a file's bytes, inflated where they were packed, begin as a NIfTI file does."""
    return content[344:348] in (b"n+1\0", b"ni1\0") or content[4:8] in (b"n+2\0", b"ni2\0")


def parse_nifti_header(content: bytes) -> NiftiHeader | None:
    """The header that the first bytes of a NIfTI-1 file are; null where they are none.

    Raises:
        ImageError: it is of NIfTI-2, or its values begin at no sensible place or in another file;
            the sentence calls the file "it".
    """
    sizes = {order: struct.unpack(order + "i", content[:4]) for order in "<>" if content[3:]}
    if (_NIFTI_2_BYTES,) in sizes.values():
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT, "it is a NIfTI-2 file; store the volume as NIfTI-1"
        )
    order = next((order for order, (size,) in sizes.items() if size == NIFTI_HEADER_BYTES), None)
    if order is None or len(content) < NIFTI_HEADER_BYTES:
        return None
    if content[344:347] not in (b"n+1", b"ni1"):
        return None
    if content[344:347] == b"ni1":
        raise ImageError(
            ErrorCode.UNSUPPORTED_FORMAT,
            "its voxels lie in another file; store the volume in one file",
        )
    axes, *dims = struct.unpack_from(order + "8h", content, 40)
    (datatype,) = struct.unpack_from(order + "h", content, 70)
    offset, slope, intercept = struct.unpack_from(order + "3f", content, 108)
    lengths = tuple(max(length, 0) for length in dims[: max(axes, 0)])
    return NiftiHeader(
        order=order,
        lengths=(*lengths, *(1,) * (3 - len(lengths))),
        offset=_sensible_offset(offset),
        datatype=datatype,
        slope=slope,
        intercept=intercept,
        pixel_mm=_pixel_mm(content, order),
        forms=tuple(_forms(content, order)),
    )


def _sensible_offset(offset: float) -> int:
    """Zero, which some writers leave there, is behind the header."""
    if not (math.isfinite(offset) and 0 <= offset <= _MOST_BYTES_BEFORE_DATA):
        raise ImageError(
            ErrorCode.CORRUPT,
            f"its header says that its values begin at byte {offset:g}; expected a place behind "
            f"the header, at most byte {_MOST_BYTES_BEFORE_DATA}",
        )
    return max(int(offset), NIFTI_HEADER_BYTES + 4)


def _pixel_mm(content: bytes, order: str) -> float | None:
    lengths = struct.unpack_from(order + "2f", content, 80)
    unit_mm = _MM_IN_UNIT.get(content[123] & _SPACE_UNIT)
    if unit_mm is None or not all(math.isfinite(length) and length > 0 for length in lengths):
        return None
    return math.sqrt(lengths[0] * lengths[1]) * unit_mm


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
