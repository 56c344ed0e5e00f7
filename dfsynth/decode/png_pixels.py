"""Whether the compressed pixels of a PNG are whole, asked before libpng sees them.

With each image that libpng gives up half-way, imagecodecs (2026.3.6) loses the memory of the
whole image and one reference to None: thousands of damaged files would end the process. So what
libpng would object to in pixels is found here first.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.decode.failures import corrupt_png

_BODY: Final = slice(8, -4)
_LAST_FILTER: Final = 4
_LOOKED_AT_BEHIND: Final = 1024
"""Bytes behind the last row in which libpng looks for the end of the compressed data."""
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


def require_whole_pixels(chunks: Sequence[bytes], header: PngHeader, bits_per_pixel: int) -> None:
    """Requires that the pixels of a PNG can be decoded to the end.

    Args:
        chunks: whole chunks, from length to checksum: IHDR, PLTE only for a palette, IDAT, IEND.
        header: of the first of them.
        bits_per_pixel: before a palette is applied.

    Raises:
        ImageError: `corrupt`.
    """
    for chunk in chunks[:-1]:
        if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise corrupt_png("has a damaged chunk")
    passes = list(_passes(header, bits_per_pixel))
    expected = sum(rows * row_bytes for rows, row_bytes in passes)
    packed = b"".join(chunk[_BODY] for chunk in chunks if chunk[4:8] == b"IDAT")
    _require_known_filters(_inflate(packed, expected), passes)


def _passes(header: PngHeader, bits_per_pixel: int) -> Iterator[tuple[int, int]]:
    """Rows, and bytes of each with its filter in front, of every pass that is not empty."""
    for left, top, across, down in _ADAM7 if header.interlaced else ((0, 0, 1, 1),):
        columns = -((left - header.width) // across)
        rows = -((top - header.height) // down)
        if columns > 0 and rows > 0:
            yield rows, 1 + (columns * bits_per_pixel + 7) // 8


def _inflate(packed: bytes, expected: int) -> bytes:
    stream = zlib.decompressobj(0)
    try:
        rows = stream.decompress(packed, expected)
        behind = stream.decompress(stream.unconsumed_tail, _LOOKED_AT_BEHIND)
    except zlib.error as error:
        raise corrupt_png("has damaged compressed data") from error
    if len(rows) < expected or not (stream.eof or len(behind) == _LOOKED_AT_BEHIND):
        raise corrupt_png("has compressed data that end early")
    return rows


def _require_known_filters(rows: bytes, passes: Sequence[tuple[int, int]]) -> None:
    start = 0
    for count, row_bytes in passes:
        filters = np.frombuffer(rows, np.uint8, count * row_bytes, start)[::row_bytes]
        if filters.max() > _LAST_FILTER:
            raise corrupt_png("has rows with a filter that PNG does not know")
        start += count * row_bytes
