"""DICOM bytes → the elements that are asked for, read by pydicom.

pydicom reports oddities that it reads past as a `UserWarning`. Warnings can be silenced for the
whole process only, so that is left to the application: `dfsynth` on the command line ignores
them, others who decode DICOM may see them.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset, read_partial, read_preamble, read_sequence_item
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dfsynth.decode import dicom_tags as tags
from dfsynth.decode.failures import corrupt_dicom, truncated
from dfsynth.errors import ErrorCode, ImageError

_UNDEFINED: Final = 0xFFFFFFFF
_MAX_READS: Final = 200_000
_MAX_VALUE_BYTES: Final = 1 << 16
"""Of numbers and texts, as in explicit encoding.

Implicit encoding allows gigabytes, of which pydicom would make an object for each number.
"""
_ELEMENT_HEAD_BYTES: Final = 8
"""Tag and length, or tag, type and the beginning of the length: read at once for each element."""
_CHARACTER_SET: Final = (b"\x08\0\x05\0", b"\0\x08\0\x05")
"""The one element whose value pydicom takes apart while it looks for others."""

PYDICOM_ERRORS: Final = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What pydicom raises for files that it cannot read, too deep nesting (RecursionError) and unknown
value representations (NotImplementedError) included."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """One element's value as it is stored."""

    value: bytes
    vr: str
    """Two letters; empty where the encoding leaves it out."""
    undefined_length: bool


@dataclass(frozen=True, slots=True)
class DataSet:
    """The elements asked for, by tag."""

    values: Mapping[int, tuple[str | float, ...]]
    """Numbers and texts; an element that is empty has none."""
    arrays: Mapping[int, Bytes]
    first_items: Mapping[int, "DataSet"]
    """Of each sequence that has any; an item's own sequences are not read."""
    big_endian: bool
    transfer_syntax: str | None = None
    """Null where the file has no meta header or leaves it out."""


class _File(io.BytesIO):
    """Bytes that may be read only so often, which ends a file of countless elements or items.

    Nor may a character set be longer than any that exist.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.size_bytes = len(data)
        self.reads_left = _MAX_READS
        self.value_start = 0
        self._element_head = b""

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads_left -= 1
        if self.reads_left < 0 or size is None or size < 0:
            # pydicom reads without a size only to inflate, which it would do without a limit.
            raise ValueError("too many elements")
        if size > _MAX_VALUE_BYTES and self._element_head.startswith(_CHARACTER_SET):
            raise ValueError("too long a character set")
        found = super().read(size)
        if size == _ELEMENT_HEAD_BYTES:
            self._element_head = found
        return found

    def is_behind_pixels(self, tag: BaseTag, _vr: str | None, _length: int) -> bool:
        """Where pydicom shall stop; called with the file at each element's value."""
        self.value_start = self.tell()
        return tag > tags.PIXEL_DATA

    def ended_inside_element(self) -> bool:
        """Whether the last value reached beyond the end, or its delimiter was never found.

        pydicom steps over values by their length, and goes back to the start of a value whose
        delimiter is missing.
        """
        return self.tell() > self.size_bytes or self.tell() == self.value_start < self.size_bytes


def parse_data_set(data: bytes, max_bytes: int) -> DataSet:
    """The elements in `dicom_tags` of a DICOM file's top level, up to and with the pixel data.

    The others are stepped over; their values are never decoded.

    Raises:
        ImageError: truncated, corrupt, or too_large if a deflated data set inflates to more than
            `max_bytes`.
    """
    file = _File(data)
    with _as_image_errors("has a meta header that cannot be read", file):
        start, syntax = _read_meta(file)
    deflated = syntax == DeflatedExplicitVRLittleEndian
    file = _File(_inflate(data, start, max_bytes) if deflated else data)
    with _as_image_errors("has elements that cannot be told apart", file):
        parsed = _parse(file, deflated)
    if file.ended_inside_element():
        raise _truncated()
    with _as_image_errors("has values that contradict their type"):
        return _data_set(parsed, parsed.original_encoding[1] is False, syntax)


def require_inflatable(data: bytes, max_bytes: int) -> None:
    """Requires that a deflated data set inflates to no more than `max_bytes`; other files pass.

    Raises:
        ImageError: truncated, corrupt or too_large.
    """
    file = _File(data)
    with _as_image_errors("has a meta header that cannot be read", file):
        start, syntax = _read_meta(file)
    if syntax == DeflatedExplicitVRLittleEndian:
        _inflate(data, start, max_bytes)


def frame(pixel_data: Bytes) -> bytes:
    """The compressed frame: the fragments of encapsulated pixel data, put together.

    Raises:
        ImageError: no_pixels or corrupt.
    """
    with _as_image_errors("has compressed pixel data that are not in fragments"):
        found = get_frame(pixel_data.value, 0, number_of_frames=1)
    if not found:
        raise ImageError(
            ErrorCode.NO_PIXELS,
            "the DICOM pixel data have no fragment; one compressed frame was expected; get the "
            "file again",
        )
    return found


@contextmanager
def _as_image_errors(found: str, file: _File | None = None) -> Iterator[None]:
    """Around every call of pydicom: `truncated` where it had come to the file's end."""
    try:
        yield
    except PYDICOM_ERRORS as error:
        if file is not None and file.tell() >= file.size_bytes:
            raise _truncated() from error
        raise corrupt_dicom(found) from error


def _read_meta(file: _File) -> tuple[int, str | None]:
    """Offset after the meta header, and its transfer syntax."""
    read_preamble(file, force=True)
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    return file.tell(), str(meta.get("TransferSyntaxUID", "")) or None


def _inflate(data: bytes, start: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(memoryview(data)[start:], max_bytes)
    except zlib.error as error:
        raise corrupt_dicom("has a deflated data set that cannot be inflated") from error
    if stream.eof:
        return inflated
    if len(inflated) >= max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the deflated DICOM data set inflates to more than {max_bytes} bytes; store it "
            "smaller or without deflation",
        )
    raise _truncated()


def _parse(file: _File, deflated: bool) -> Dataset:
    wanted: list[BaseTag | int] = [*tags.VALUES, *tags.ARRAYS, *tags.SEQUENCES]
    stop = file.is_behind_pixels
    if deflated:
        return read_dataset(file, False, True, stop_when=stop, specific_tags=wanted)
    return read_partial(file, stop_when=stop, force=True, specific_tags=wanted)


def _data_set(parsed: Dataset, big_endian: bool, syntax: str | None) -> DataSet:
    """Converts what is asked for; pydicom has kept the bytes so far."""
    plain = _without_sequences(parsed, big_endian)
    items = {tag: _first_item(parsed, tag) for tag in tags.SEQUENCES & parsed.keys()}
    first_items = {tag: _without_sequences(i, big_endian) for tag, i in items.items() if i}
    return replace(plain, first_items=first_items, transfer_syntax=syntax)


def _without_sequences(parsed: Dataset, big_endian: bool) -> DataSet:
    if tags.SIGNED not in parsed:
        # Without it, pydicom cannot tell the sign of values whose representation is not written.
        parsed.add_new(tags.SIGNED, "US", 0)
    found = parsed.keys()
    arrays = {tag: _bytes(parsed, tag) for tag in tags.ARRAYS & found}
    values = {tag: _values(parsed, tag) for tag in tags.VALUES & found}
    return DataSet(values, arrays, {}, big_endian)


def _raw(parsed: Dataset, tag: int) -> RawDataElement | None:
    """An element as it is stored; null for a sequence that is parsed already.

    Raises:
        ImageError: `truncated`.
    """
    element = parsed.get_item(tag, keep_deferred=True)
    if not isinstance(element, RawDataElement):
        return None
    if element.length not in (_UNDEFINED, len(element.value or b"")):
        raise _truncated()
    return element


def _bytes(parsed: Dataset, tag: int) -> Bytes:
    element = _raw(parsed, tag)
    if element is None:
        raise corrupt_dicom("has a sequence in the place of an array")
    return Bytes(element.value or b"", element.VR or "", element.length == _UNDEFINED)


def _values(parsed: Dataset, tag: int) -> tuple[str | float, ...]:
    element = _raw(parsed, tag)
    if element is not None and len(element.value or b"") > _MAX_VALUE_BYTES:
        raise corrupt_dicom(f"has numbers or texts of more than {_MAX_VALUE_BYTES} bytes")
    value = parsed[tag].value
    if value is None or value == "":
        return ()
    return tuple(map(_plain, value if isinstance(value, list | MultiValue) else [value]))


def _plain(value: Any) -> str | float:
    return value if isinstance(value, int | str) else float(value)


def _first_item(parsed: Dataset, tag: int) -> Dataset | None:
    """The first item of a sequence; the others, however many, are not looked at."""
    element = _raw(parsed, tag)
    if element is None:
        sequence = parsed[tag].value
        return sequence[0] if isinstance(sequence, Sequence) and sequence else None
    if not element.value:
        return None
    little_endian = element.is_little_endian
    file = _File(element.value)
    return read_sequence_item(file, element.is_implicit_VR, little_endian, default_encoding)


def _truncated() -> ImageError:
    return truncated("the DICOM file ends inside an element")
