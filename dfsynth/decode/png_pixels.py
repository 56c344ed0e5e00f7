"""Whether the compressed pixels of a PNG are whole, asked before libpng sees them.

With each image that libpng gives up half-way, imagecodecs (2026.3.6) loses the memory of the
whole image and one reference to None: thousands of damaged files would end the process. So what
libpng would object to in pixels is found here first.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, cast

import imagecodecs
import numpy as np

from dfsynth.decode.failures import corrupt_png
from dfsynth.errors import ImageError

_BODY: Final = slice(8, -4)
_LAST_FILTER: Final = 4
_LOOKED_AT_BEHIND: Final = 1024
"""Bytes behind the last row in which libpng looks for the end of the compressed data."""
_MOST_STORED: Final = 0xFFFF
"""Bytes that a block of a deflate stream holds without compression."""
_ADAM7: Final = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column, first row, and the steps to the next ones, of each pass (PNG 8.2)."""


@dataclass(frozen=True, slots=True)
class PngHeader:
    """The IHDR chunk."""

    width: int
    height: int
    depth: int
    """Bits a sample."""
    colour: int
    interlaced: bool


def png_header(data: bytes) -> PngHeader:
    """Reads the IHDR chunk behind a PNG's signature.

    Raises:
        ImageError: `corrupt` for methods of compression, filtering or interlacing unknown to PNG.
    """
    width, height, depth, colour, packing, filtering, interlace = struct.unpack_from(
        ">IIBBBBB", data, 16
    )
    if packing or filtering or interlace > 1:
        raise corrupt_png(
            "has methods of compression, filtering or interlacing that PNG does not know"
        )
    return PngHeader(width, height, depth, colour, interlace == 1)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of an interlaced image, or the whole of any other: a small image of its own."""

    left: int
    top: int
    across: int
    """From one of its columns to the next, in the whole image."""
    down: int
    width: int
    height: int
    row_bytes: int
    """Of each of its rows, with the filter in front."""


@dataclass(frozen=True, slots=True)
class PngRows:
    """The pixels of a PNG as they were compressed: rows with their filter in front."""

    content: bytes
    """The rows of all passes, one after another."""
    passes: tuple[Pass, ...]

    def parts(self) -> Iterator[tuple[Pass, memoryview]]:
        """Each pass and its rows."""
        start, content = 0, memoryview(self.content)
        for each in self.passes:
            end = start + each.height * each.row_bytes
            yield each, content[start:end]
            start = end


def whole_rows(chunks: Sequence[bytes], header: PngHeader, bits_per_pixel: int) -> PngRows:
    """The rows of a PNG whose pixels can be decoded to the end.

    Args:
        chunks: whole chunks, from length to checksum: IHDR, PLTE only for a palette, IDAT, IEND.
        header: of the first of them.
        bits_per_pixel: before a palette is applied.

    Raises:
        ImageError: `corrupt`.
    """
    for chunk in chunks[:-1]:
        if crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise corrupt_png("has a damaged chunk")
    passes = tuple(_passes(header, bits_per_pixel))
    expected = sum(each.height * each.row_bytes for each in passes)
    packed = b"".join(chunk[_BODY] for chunk in chunks if chunk[4:8] == b"IDAT")
    content = _inflate(packed, expected)
    _require_known_filters(content, passes)
    return PngRows(content, passes)


def crc32(data: bytes | memoryview, before: int = 0) -> int:
    """The checksum of PNG's chunks, 0 to 2³² − 1, of `data` behind what has the checksum `before`.

    By libdeflate, which takes a tenth of zlib's time.
    """
    return imagecodecs.deflate_crc32(cast("bytes", data), before)


def stored(rows: memoryview) -> Iterator[bytes | memoryview]:
    """The pieces of a zlib stream that holds `rows` as they are (RFC 1950; RFC 1951, 3.2.4)."""
    yield b"\x78\x01"
    for start in range(0, len(rows), _MOST_STORED):
        block = rows[start : start + _MOST_STORED]
        last = start + _MOST_STORED >= len(rows)
        yield struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF)
        yield block
    # It takes any contiguous buffer, though its types do not say so.
    yield struct.pack(">I", imagecodecs.deflate_adler32(cast("bytes", rows)))


def _passes(header: PngHeader, bits_per_pixel: int) -> Iterator[Pass]:
    """Every pass that is not empty."""
    for left, top, across, down in _ADAM7 if header.interlaced else ((0, 0, 1, 1),):
        width = -((left - header.width) // across)
        height = -((top - header.height) // down)
        if width > 0 and height > 0:
            row_bytes = 1 + (width * bits_per_pixel + 7) // 8
            yield Pass(left, top, across, down, width, height, row_bytes)


def _inflate(packed: bytes, expected: int) -> bytes:
    """The bytes that are expected, of as many or more."""
    try:
        rows = imagecodecs.deflate_decode(packed, out=expected)
    except imagecodecs.DeflateError:
        # Damaged, or more bytes than expected, which this library takes for damage.
        rows = _inflate_longer(packed, expected)
    if len(rows) < expected:
        raise _early_end()
    return cast(bytes, rows)


def _inflate_longer(packed: bytes, expected: int) -> bytes:
    stream = zlib.decompressobj(0)
    try:
        rows = stream.decompress(packed, expected)
        behind = stream.decompress(stream.unconsumed_tail, _LOOKED_AT_BEHIND)
    except zlib.error as error:
        raise corrupt_png("has damaged compressed data") from error
    if not (stream.eof or len(behind) == _LOOKED_AT_BEHIND):
        raise _early_end()
    return rows


def _early_end() -> ImageError:
    return corrupt_png("has compressed data that end early")


def _require_known_filters(rows: bytes, passes: Sequence[Pass]) -> None:
    start = 0
    for each in passes:
        size_bytes = each.height * each.row_bytes
        filters = np.frombuffer(rows, np.uint8, size_bytes, start)[:: each.row_bytes]
        if filters.max() > _LAST_FILTER:
            raise corrupt_png("has rows with a filter that PNG does not know")
        start += size_bytes
