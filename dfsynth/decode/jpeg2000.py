"""Headers of JPEG 2000 codestreams: what an image will cost before OpenJPEG reserves it."""

import struct
from collections.abc import Iterator
from typing import Final

from dfsynth.decode.codestream import MAX_SEGMENTS, Codestream
from dfsynth.decode.failures import corrupt_codestream, too_many_segments

_MAX_TILES: Final = 4096
_MAX_PRECINCTS: Final = 1 << 17
"""OpenJPEG takes up to 1.7 kB for each before it has read any; a radiograph has some hundreds."""
_MAX_LEVELS: Final = 32
_MAX_BOXES: Final = 1000
_JP2_SIGNATURE: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
_J2K_START: Final = b"\xff\x4f\xff\x51"
_CODING, _CODING_OF_ONE, _TILE_PART, _TILE_DATA = 0xFF52, 0xFF53, 0xFF90, 0xFF93


def j2k_codestream(data: bytes) -> bytes:
    """The JPEG 2000 codestream, out of the boxes of a JP2 file where some writers leave it.

    The boxes can say other sizes, palettes and profiles; in DICOM, its own header counts.

    Raises:
        ImageError: `corrupt` if there is none.
    """
    if data.startswith(_J2K_START):
        return data
    offset = 0 if data.startswith(_JP2_SIGNATURE) else len(data)
    for _ in range(_MAX_BOXES):
        if offset + 16 > len(data):
            break
        length, name, long_length = struct.unpack_from(">I4sQ", data, offset)
        head = 16 if length == 1 else 8
        end = offset + (long_length if length == 1 else length or len(data) - offset)
        if name == b"jp2c":
            return data[offset + head : end]
        if end < offset + head:
            break
        offset = end
    raise corrupt_codestream("has no JPEG 2000 codestream")


def j2k_header(data: bytes) -> Codestream:
    """Reads the SIZ segment of a JPEG 2000 codestream, and how finely it divides its image.

    Raises:
        ImageError: `corrupt` if there is none, it makes no sense, or it asks for more tiles or
            precincts than are read.
    """
    if not data.startswith(_J2K_START) or len(data) < 43:
        raise corrupt_codestream("has no JPEG 2000 image size")
    right, bottom, left, top, tile_x, tile_y, tile_left, tile_top, components = struct.unpack_from(
        ">8IH", data, 8
    )
    depth = data[42]
    if not (left < right and top < bottom and tile_x and tile_y and 1 <= components <= 4):
        raise corrupt_codestream("has a JPEG 2000 image size that makes no sense")
    if tile_left > left or tile_top > top:
        raise corrupt_codestream("has JPEG 2000 tiles that begin inside the image")
    tiles = -(-(right - tile_left) // tile_x) * -(-(bottom - tile_top) // tile_y)
    if tiles > _MAX_TILES:
        raise corrupt_codestream(
            f"has {tiles} JPEG 2000 tiles, more than the {_MAX_TILES} that are read"
        )
    tile = (min(tile_x, right - left), min(tile_y, bottom - top))
    for coding in _coding_styles(data):
        precincts = tiles * components * _precincts(coding, *tile)
        if precincts > _MAX_PRECINCTS:
            raise corrupt_codestream(
                f"has {precincts} JPEG 2000 precincts, more than the {_MAX_PRECINCTS} that are read"
            )
    return Codestream(
        width=right - left,
        height=bottom - top,
        precision=(depth & 0x7F) + 1,
        components=components,
        signed=depth >= 0x80,
        process=0,
        end=len(data),
    )


def _coding_styles(data: bytes) -> Iterator[bytes]:
    """Of every COD and COC segment of the main and the tile-part headers, what `_precincts` takes.

    ITU-T T.800, A.4 and A.6. Where the markers lead nowhere, the decoder will find it too.
    """
    offset, tile_part_end = 2, len(data)
    for _ in range(MAX_SEGMENTS):
        if offset + 4 > len(data):
            return
        marker, length = struct.unpack_from(">HH", data, offset)
        body = data[offset + 4 : offset + 2 + length]
        if marker == _TILE_DATA:
            if tile_part_end <= offset:
                return
            offset = tile_part_end
            continue
        if marker == _TILE_PART and len(body) == 8:
            (size_bytes,) = struct.unpack_from(">I", body, 2)
            tile_part_end = offset + size_bytes if size_bytes else len(data)
        elif marker == _CODING:
            yield body[:1] + body[5:]
        elif marker == _CODING_OF_ONE:
            yield body[1:]
        elif marker < 0xFF00 or length < 2:
            return
        offset += 2 + length
    raise too_many_segments()


def _precincts(coding: bytes, tile_width: int, tile_height: int) -> int:
    """How many precincts a tile of one component has (ITU-T T.800, A.6.1 and B.6).

    Args:
        coding: Scod or Scoc, then SPcod or SPcoc.
        tile_width: in pixels; the largest of all tiles.
        tile_height: the same.
    """
    if len(coding) < 6 or coding[1] > _MAX_LEVELS:
        raise corrupt_codestream("has a JPEG 2000 coding style that makes no sense")
    levels = coding[1]
    sizes = coding[6 : 7 + levels] if coding[0] & 1 else b"\xff" * (levels + 1)
    if len(sizes) <= levels:
        raise corrupt_codestream("has a JPEG 2000 coding style that makes no sense")
    total = 0
    for resolution, exponents in enumerate(sizes):
        shrunk = levels - resolution
        across = -(-tile_width >> shrunk + (exponents & 15))
        down = -(-tile_height >> shrunk + (exponents >> 4))
        total += across * down
    return total
