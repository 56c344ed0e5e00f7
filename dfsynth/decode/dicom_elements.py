"""DICOM bytes → the few elements that are asked for.

The structure is walked here and not by pydicom, whose warnings can be silenced only for the whole
process, which decoding in threads rules out. Elements that are not asked for are stepped over by
their length and never read, so no name, number or date of a patient is ever in memory as such.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

from dfsynth.errors import ErrorCode, ImageError

PIXEL_DATA: Final = 0x7FE00010
_TRANSFER_SYNTAX: Final = 0x00020010
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_UNDEFINED: Final = 0xFFFFFFFF
_MAX_DEPTH: Final = 16
_LONG: Final = frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32)
_KNOWN: Final = _LONG | frozenset(str(vr).encode() for vr in EXPLICIT_VR_LENGTH_16)
_PREAMBLE_BYTES: Final = 132


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set writes its elements."""

    implicit: bool
    big_endian: bool = False

    @property
    def order(self) -> str:
        """The byte order as `struct` writes it."""
        return ">" if self.big_endian else "<"


@dataclass(frozen=True, slots=True)
class Element:
    """One element's value as bytes."""

    vr: str
    """Two letters; empty where the encoding leaves it out."""
    value: bytes
    """For an element of undefined length, its items up to the sequence delimiter."""
    undefined_length: bool


@dataclass(frozen=True, slots=True)
class DataSet:
    """The elements asked for, by tag, and how their values are written."""

    encoding: Encoding
    elements: dict[int, Element]
    transfer_syntax: str | None = None
    """Null where the file has no meta header or leaves it out."""

    def first_item(self, tag: int, wanted: frozenset[int]) -> "DataSet | None":
        """The first item of a sequence, or null where there is none.

        Raises:
            ImageError: `truncated` or `corrupt`.
        """
        sequence = self.elements.get(tag)
        if sequence is None or len(sequence.value) < 8:
            return None
        body = next(items(sequence.value, self.encoding), b"")
        return DataSet(self.encoding, _collect(body, 0, self.encoding, wanted))


@dataclass(frozen=True, slots=True)
class _Header:
    tag: int
    vr: str
    length: int
    start: int
    """Offset of the value."""


def starts_like_data_set(data: bytes) -> bool:
    """Whether bytes without the DICM mark begin with an element that opens a DICOM data set."""
    if len(data) < 12:
        return False
    for order in "<>":
        group, number, vr, short = struct.unpack_from(order + "HH2sH", data)
        if group not in (0x0002, 0x0008) or number > 0x0070:
            continue
        if vr in _KNOWN:
            return vr in _LONG or 8 + short <= len(data)
        (length,) = struct.unpack_from(order + "I", data, 4)
        return order == "<" and length <= 1024 and 8 + length <= len(data)
    return False


def read_elements(data: bytes, wanted: frozenset[int], max_bytes: int) -> DataSet:
    """The wanted elements of a DICOM file's top level, up to and with the pixel data.

    Raises:
        ImageError: truncated, corrupt, or too_large if a deflated data set inflates to more than
            `max_bytes`.
    """
    start = _PREAMBLE_BYTES if data[_PREAMBLE_BYTES - 4 : _PREAMBLE_BYTES] == b"DICM" else 0
    start, syntax = _read_meta(data, start)
    if syntax == DeflatedExplicitVRLittleEndian:
        data, start = _inflate(data, start, max_bytes), 0
    encoding = _encoding(data, start, syntax)
    return DataSet(encoding, _collect(data, start, encoding, wanted), syntax)


def items(value: bytes, encoding: Encoding) -> Iterator[bytes]:
    """The items of a sequence, or the fragments of encapsulated pixel data.

    Raises:
        ImageError: `truncated` or `corrupt`.
    """
    offset = 0
    while offset + 8 <= len(value):
        header = _item_header(value, offset, encoding)
        if header.tag == _SEQUENCE_END:
            return
        end = _item_end(value, header, encoding, depth=0)
        yield value[header.start : end - (8 if header.length == _UNDEFINED else 0)]
        offset = end


def _read_meta(data: bytes, start: int) -> tuple[int, str | None]:
    """Offset after the meta header (explicit little endian) and its transfer syntax."""
    encoding, syntax = Encoding(implicit=False), None
    while data[start : start + 2] == b"\x02\x00":
        header = _header(data, start, encoding)
        start = _end(data, header, encoding, depth=0)
        if header.tag == _TRANSFER_SYNTAX:
            syntax = data[header.start : start].rstrip(b"\0 ").decode("ascii", "replace")
    return start, syntax


def _inflate(data: bytes, start: int, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(memoryview(data)[start:], max_bytes)
    except zlib.error as error:
        raise corrupt("has a deflated data set that cannot be inflated") from error
    if stream.eof:
        return inflated
    if len(inflated) >= max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the deflated DICOM data set inflates to more than {max_bytes} bytes; store it "
            "smaller or without deflation",
        )
    raise _truncated()


def _encoding(data: bytes, start: int, syntax: str | None) -> Encoding:
    """What the syntax says; of implicit or explicit, what the first element shows, if it can."""
    first_vr = data[start + 4 : start + 6]
    big = syntax == ExplicitVRBigEndian or (syntax is None and data[start : start + 1] == b"\0")
    if len(first_vr) < 2:
        return Encoding(implicit=syntax == ImplicitVRLittleEndian)
    return Encoding(implicit=first_vr not in _KNOWN and not big, big_endian=big)


def _collect(
    data: bytes, start: int, encoding: Encoding, wanted: frozenset[int]
) -> dict[int, Element]:
    elements: dict[int, Element] = {}
    while start + 8 <= len(data):
        header = _header(data, start, encoding)
        start = _end(data, header, encoding, depth=0)
        if header.tag in wanted and header.tag not in elements:
            undefined = header.length == _UNDEFINED
            value = data[header.start : start - 8 if undefined else start]
            elements[header.tag] = Element(header.vr, value, undefined)
        if header.tag == PIXEL_DATA:
            break
    return elements


def _header(data: bytes, offset: int, encoding: Encoding) -> _Header:
    if offset + 8 > len(data):
        raise _truncated()
    group, number, vr, short = struct.unpack_from(encoding.order + "HH2sH", data, offset)
    tag = group << 16 | number
    if not encoding.implicit and vr.isalpha() and vr.isupper():
        if vr not in _LONG:
            return _Header(tag, vr.decode("ascii"), short, offset + 8)
        if offset + 12 > len(data):
            raise _truncated()
        (length,) = struct.unpack_from(encoding.order + "I", data, offset + 8)
        return _Header(tag, vr.decode("ascii"), length, offset + 12)
    (length,) = struct.unpack_from(encoding.order + "I", data, offset + 4)
    return _Header(tag, "", length, offset + 8)


def _end(data: bytes, header: _Header, encoding: Encoding, depth: int) -> int:
    """Offset after an element, its sequence delimiter included."""
    if header.length == _UNDEFINED:
        inner = Encoding(implicit=True) if header.vr == "UN" else encoding
        return _sequence_end(data, header.start, inner, depth)
    end = header.start + header.length
    if end > len(data):
        raise _truncated()
    return end


def _sequence_end(data: bytes, offset: int, encoding: Encoding, depth: int) -> int:
    while True:
        header = _item_header(data, offset, encoding)
        if header.tag == _SEQUENCE_END:
            return header.start
        offset = _item_end(data, header, encoding, depth)


def _item_header(data: bytes, offset: int, encoding: Encoding) -> _Header:
    if offset + 8 > len(data):
        raise _truncated()
    group, number, length = struct.unpack_from(encoding.order + "HHI", data, offset)
    tag = group << 16 | number
    if tag not in (_ITEM, _SEQUENCE_END):
        raise corrupt("has other bytes where an item of a sequence should begin")
    return _Header(tag, "", length, offset + 8)


def _item_end(data: bytes, header: _Header, encoding: Encoding, depth: int) -> int:
    """Offset after an item, its item delimiter included."""
    if header.length != _UNDEFINED:
        return _end(data, header, encoding, depth)
    if depth >= _MAX_DEPTH:
        raise corrupt(f"nests sequences more than {_MAX_DEPTH} deep")
    offset = header.start
    while True:
        inner = _header(data, offset, encoding)
        if inner.tag == _ITEM_END:
            return offset + 8
        offset = _end(data, inner, encoding, depth + 1)


def corrupt(found: str) -> ImageError:
    """The error for a DICOM file that contradicts itself or the standard."""
    return ImageError(
        ErrorCode.CORRUPT,
        f"the DICOM file {found}; an intact file was expected; get it again",
    )


def _truncated() -> ImageError:
    return ImageError(
        ErrorCode.TRUNCATED,
        "the DICOM file ends inside an element; a whole file was expected; get it again",
    )
