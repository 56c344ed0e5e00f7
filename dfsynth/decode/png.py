"""PNG → image."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

import imagecodecs
import numpy as np

from dfsynth.decode.codecs import codec_failures
from dfsynth.decode.failures import corrupt_png, truncated
from dfsynth.decode.grey import GreyPixels, to_grey
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.decode.png_pixels import Pass, PngHeader, crc32, png_header, stored, whole_rows
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHUNK_OVERHEAD: Final = 12
_MAX_CHUNKS: Final = 1_000_000
_MAX_CHUNK_BYTES: Final = 2**31 - 1
_PALETTE_TYPE: Final = 3
_CRITICAL: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


@dataclass(frozen=True, slots=True)
class _ColourType:
    photometric: str
    channels: int
    depths: tuple[int, ...]


_COLOUR_TYPES: Final = {
    0: _ColourType("MONOCHROME2", 1, (1, 2, 4, 8, 16)),
    2: _ColourType("RGB", 3, (8, 16)),
    3: _ColourType("PALETTE", 3, (1, 2, 4, 8)),
    4: _ColourType("GREY_ALPHA", 2, (8, 16)),
    6: _ColourType("RGBA", 4, (8, 16)),
}


def read_png(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a PNG file; a file cut short or with a damaged critical chunk is an error.

    Raises:
        ImageError: truncated, corrupt, too_large, or multi_frame for an animation.
    """
    chunks = _critical_chunks(data)
    header = png_header(data)
    kind = _COLOUR_TYPES.get(header.colour)
    if kind is None or header.depth not in kind.depths:
        raise corrupt_png(
            f"has colour type {header.colour} with {header.depth} bits, which PNG does not know"
        )
    sample_bytes = 2 if header.depth == 16 else 1
    copies = 3 * kind.channels + 2 if header.interlaced else max(2 * kind.channels, 3)
    size_bytes = check_size(header.width, header.height, copies * sample_bytes, limits)
    samples = 1 if header.colour == _PALETTE_TYPE else kind.channels
    files = _files(chunks, header, samples * header.depth)
    failure = corrupt_png("has a damaged chunk or damaged compressed data")
    with codec_failures(failure, size_bytes):
        pixels = _decode(files, header)
    if pixels.shape[:2] != (header.height, header.width):
        raise corrupt_png("decodes to another size than its header gives")
    return DecodedImage(
        pixels=to_grey(pixels),
        low=0.0,
        high=65535.0 if header.depth == 16 else 255.0,
        bits=header.depth,
        photometric=kind.photometric,
        pixel_mm=None,
    )


def _files(
    chunks: Sequence[bytes], header: PngHeader, bits_per_pixel: int
) -> list[tuple[Pass, bytes]]:
    """Each pass as a PNG file that is not interlaced, of its rows alone and not compressed.

    The rows were inflated already, to see that they are whole, by a library faster than the
    decoder's. Nor does the decoder see what it would warn of on stderr: interlaced images, and
    bytes behind the last row.
    """
    rows = whole_rows(chunks, header, bits_per_pixel)
    return [(each, _file_of(chunks, each, part)) for each, part in rows.parts()]


def _decode(files: Sequence[tuple[Pass, bytes]], header: PngHeader) -> GreyPixels:
    """Decodes each pass, (y, x) or (y, x, channels), and puts them together."""
    parts = [(each, imagecodecs.png_decode(file)) for each, file in files]
    first = parts[0][1]
    if len(parts) == 1:
        return cast(GreyPixels, first)
    whole = np.empty((header.height, header.width, *first.shape[2:]), first.dtype)
    for each, pixels in parts:
        whole[each.top :: each.down, each.left :: each.across] = pixels
    return cast(GreyPixels, whole)


def _file_of(chunks: Sequence[bytes], each: Pass, rows: memoryview) -> bytes:
    """A file of the size and the rows of one pass; the palette is that of all."""
    head = struct.pack(">II", each.width, each.height) + chunks[0][16:20] + b"\0"
    palette = [chunk for chunk in chunks if chunk[4:8] == b"PLTE"]
    before = [_SIGNATURE, *_chunk(b"IHDR", head), *palette]
    return b"".join((*before, *_chunk(b"IDAT", *stored(rows)), chunks[-1]))


def _chunk(name: bytes, *body: bytes | memoryview) -> list[bytes | memoryview]:
    """The pieces of a chunk, which are not copied."""
    size_bytes, checksum = 0, crc32(name)
    for piece in body:
        size_bytes, checksum = size_bytes + len(piece), crc32(piece, checksum)
    return [struct.pack(">I", size_bytes) + name, *body, struct.pack(">I", checksum)]


def _critical_chunks(data: bytes) -> list[bytes]:
    """Only the chunks that make the image, from IHDR to IEND.

    The others (profiles, compressed texts, transparency) change no grey value, and the decoder
    complains of them on stderr. The walk also finds the end cut off, which the decoder misses.
    """
    offset, kept = len(_SIGNATURE), list[bytes]()
    palette = len(data) > 25 and data[25] == _PALETTE_TYPE
    for _ in range(_MAX_CHUNKS):
        if offset + _CHUNK_OVERHEAD > len(data):
            raise _truncated()
        length, name = struct.unpack_from(">I4s", data, offset)
        end = offset + _CHUNK_OVERHEAD + length
        _check_chunk(name, length, first=not kept)
        if end > len(data):
            raise _truncated()
        if name == b"acTL" and length >= 4 and struct.unpack_from(">I", data, offset + 8)[0] > 1:
            raise ImageError(
                ErrorCode.MULTI_FRAME,
                "the PNG file is an animation; one image was expected; save one frame of it",
            )
        if name in (b"IHDR", b"IDAT", b"IEND") or (name == b"PLTE" and palette):
            kept.append(data[offset:end])
        if name == b"IEND":
            _check_order([chunk[4:8] for chunk in kept], palette=palette)
            return kept
        offset = end
    raise corrupt_png(f"has more than {_MAX_CHUNKS} chunks")


def _check_order(names: list[bytes], *, palette: bool) -> None:
    before = [b"IHDR", b"PLTE"] if palette else [b"IHDR"]
    if names[: len(before)] != before or set(names[len(before) : -1]) != {b"IDAT"}:
        raise corrupt_png("lacks a palette or pixels, or has them in another order than PNG allows")


def _check_chunk(name: bytes, length: int, *, first: bool) -> None:
    if not name.isalpha() or length > _MAX_CHUNK_BYTES:
        raise corrupt_png("has bytes where a chunk should begin")
    if first != (name == b"IHDR") or (first and length != 13):
        raise corrupt_png("does not begin with one IHDR chunk of 13 bytes")
    if name[:1].isupper() and name not in _CRITICAL:
        raise corrupt_png("has a critical chunk that PNG does not know")


def _truncated() -> ImageError:
    return truncated("the PNG file ends before its IEND chunk")
