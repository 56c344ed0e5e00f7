"""TIFF → image.

The directory is read and checked here before the decoder sees the file: one image, a short list of
compressions, every strip or tile inside the file and long enough.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import imagecodecs
import numpy as np

from dfsynth.decode.codecs import codec_failures
from dfsynth.decode.failures import corrupt_tiff, truncated
from dfsynth.decode.grey import GreyPixels, to_grey
from dfsynth.decode.limits import DecodeLimits, check_size
from dfsynth.errors import ErrorCode, ImageError
from dfsynth.records import DecodedImage

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_COUNTS = 273, 277, 278, 279
_PLANAR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT = 284, 320, 322, 323
_TILE_OFFSETS, _TILE_COUNTS, _SAMPLE_FORMAT = 324, 325, 339
_DEPTHS: Final = (32997, 32998)
"""Layers of a volume, and of a tile of it: the decoder reserves memory for each that is claimed."""
_TAGS: Final = frozenset(
    {
        *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS, _SAMPLES),
        *(_ROWS_PER_STRIP, _STRIP_COUNTS, _PLANAR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT),
        *(_TILE_OFFSETS, _TILE_COUNTS, _SAMPLE_FORMAT, *_DEPTHS),
    }
)
_NEW_SUBFILE_TYPE, _REDUCED, _MASK = 254, 1, 4
_SUBFILE_TYPE, _OLD_REDUCED = 255, 2
_LONG: Final = 4
_MAX_PAGES: Final = 32
_TYPES: Final = {1: "B", 3: "H", 4: "I"}
_MAX_VALUES: Final = 2**20
_UNCOMPRESSED: Final = 1
_COMPRESSIONS: Final = (_UNCOMPRESSED, 5, 8, 32773, 32946)
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class _Page:
    width: int
    height: int
    bits: int
    samples: int
    photometric: int
    compression: int
    separate: bool
    """Each sample in a plane of its own."""
    colour_map: tuple[int, ...]
    tiled: bool
    block_width: int
    block_height: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]


def read_tiff(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decodes a TIFF file of one image: 8 or 16 bits, uncompressed, LZW, Deflate or PackBits.

    Further pages are left aside if they say that they are a smaller copy or a mask of it.

    Raises:
        ImageError: truncated, corrupt, too_large, multi_frame, unsupported_format.
    """
    order = "<" if data[:2] == b"II" else ">"
    index, start = _image_page(order, data)
    page = _page(_directory(order, data, start), len(data))
    _check_supported(page)
    size_bytes = check_size(page.width, page.height, (page.samples + 1) * page.bits // 8, limits)
    _check_blocks(page, len(data), limits)
    with codec_failures(corrupt_tiff("has damaged compressed data"), size_bytes):
        pixels = imagecodecs.tiff_decode(data, index)
    if page.separate and pixels.ndim == 3:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[:2] != (page.height, page.width) or pixels.dtype.itemsize * 8 != page.bits:
        raise corrupt_tiff("decodes to another size than its header gives")
    return _grey_image(pixels, page)


def _grey_image(pixels: GreyPixels, page: _Page) -> DecodedImage:
    high = 2**page.bits - 1
    names = {_WHITE_IS_ZERO: "MONOCHROME1", _BLACK_IS_ZERO: "MONOCHROME2", _PALETTE: "PALETTE"}
    photometric = names.get(page.photometric, "RGB" if page.samples == 3 else "RGBA")
    if page.photometric == _PALETTE:
        pixels = _look_up(to_grey(pixels), page)
        high = 65535
    grey = to_grey(pixels)
    if page.photometric == _WHITE_IS_ZERO:
        grey = np.invert(grey)
    return DecodedImage(grey, 0.0, float(high), page.bits, photometric, None)


def _look_up(indices: GreyPixels, page: _Page) -> GreyPixels:
    if page.bits != 8 or len(page.colour_map) != 3 * 256:
        raise corrupt_tiff("has a colour map that does not fit its pixels")
    table = np.array(page.colour_map, np.uint16).reshape(3, 256).T
    grey: GreyPixels = to_grey(table[np.newaxis])[0][indices]
    return grey


def _image_page(order: str, data: bytes) -> tuple[int, int]:
    """Which page is the image, and where its directory begins.

    Pages that say of themselves that they are a smaller copy or a mask of another one are no
    further images; a lone page is the image, whatever it says.
    """
    starts = list[int]()
    images = list[int]()
    (start,) = _unpack(order + "I", data, 4)
    while start and len(images) < 2:
        if start in starts or len(starts) == _MAX_PAGES:
            raise corrupt_tiff(f"has pages that lead back, or more than {_MAX_PAGES} of them")
        goes_with_another, following = _look_at_page(order, data, start)
        if not goes_with_another:
            images.append(len(starts))
        starts.append(start)
        start = following
    chosen = images or range(len(starts))
    if len(chosen) > 1:
        raise ImageError(
            ErrorCode.MULTI_FRAME,
            "the TIFF file has more than one page; one image was expected; save each page as "
            "a file of its own",
        )
    if not chosen:
        raise corrupt_tiff("has no page")
    return chosen[0], starts[chosen[0]]


def _look_at_page(order: str, data: bytes, start: int) -> tuple[bool, int]:
    """Whether a page belongs to another one, and where the next one's directory begins."""
    (count,) = _unpack(order + "H", data, start)
    (following,) = _unpack(order + "I", data, start + 2 + 12 * count)
    found = {
        tag: value if kind == _LONG else short
        for tag, kind, value, short in (
            (*_unpack(order + "HH4xI", data, at), *_unpack(order + "H", data, at + 8))
            for at in range(start + 2, start + 2 + 12 * count, 12)
        )
        if tag in (_NEW_SUBFILE_TYPE, _SUBFILE_TYPE)
    }
    with_another = found.get(_NEW_SUBFILE_TYPE, 0) & (_REDUCED | _MASK)
    return bool(with_another) or found.get(_SUBFILE_TYPE) == _OLD_REDUCED, following


def _directory(order: str, data: bytes, start: int) -> Mapping[int, tuple[int, ...]]:
    """The integer entries that matter of the directory that begins at `start`, by tag."""
    (count,) = _unpack(order + "H", data, start)
    entries: dict[int, tuple[int, ...]] = {}
    for index in range(count):
        offset = start + 2 + 12 * index
        tag, kind, length = _unpack(order + "HHI", data, offset)
        if tag not in _TAGS:
            continue
        if kind not in _TYPES or tag in entries or length > _MAX_VALUES:
            raise corrupt_tiff("has a directory entry that is long, doubled or of a wrong type")
        layout = f"{order}{length}{_TYPES[kind]}"
        if struct.calcsize(layout) > len(data):
            raise _truncated()
        at = offset + 8
        if struct.calcsize(layout) > 4:
            (at,) = _unpack(order + "I", data, at)
        entries[tag] = _unpack(layout, data, at)
    return entries


def _unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    if offset + struct.calcsize(layout) > len(data):
        raise _truncated()
    return struct.unpack_from(layout, data, offset)


def _page(entries: Mapping[int, tuple[int, ...]], size_bytes: int) -> _Page:
    def one(tag: int, default: int | None = None) -> int:
        values = entries.get(tag) or (() if default is None else (default,))
        if not values:
            raise corrupt_tiff(f"lacks the required tag {tag}")
        return values[0]

    tiled = _TILE_OFFSETS in entries
    bits = entries.get(_BITS) or (1,)
    if len(set(bits)) != 1 or set(entries.get(_SAMPLE_FORMAT, (1,))) != {1}:
        raise _unsupported("samples of unequal width, signed or floating-point samples")
    if any(one(tag, 1) > 1 for tag in _DEPTHS):
        raise _unsupported("more than one layer in depth")
    width, height = one(_WIDTH), one(_HEIGHT)
    offsets = entries.get(_TILE_OFFSETS if tiled else _STRIP_OFFSETS, ())
    counts = entries.get(_TILE_COUNTS if tiled else _STRIP_COUNTS, ())
    if len(offsets) == 1 and not tiled and not any(counts):
        # Old writers left the count of a lone strip out; libtiff takes what follows, too.
        counts = (max(size_bytes - offsets[0], 0),)
    return _Page(
        width=width,
        height=height,
        bits=bits[0],
        samples=one(_SAMPLES, 1),
        photometric=one(_PHOTOMETRIC, _BLACK_IS_ZERO),
        compression=one(_COMPRESSION, _UNCOMPRESSED),
        separate=one(_PLANAR, 1) == 2,
        colour_map=entries.get(_COLOUR_MAP, ()),
        tiled=tiled,
        block_width=one(_TILE_WIDTH) if tiled else width,
        block_height=one(_TILE_HEIGHT) if tiled else min(one(_ROWS_PER_STRIP, height), height),
        offsets=offsets,
        counts=counts,
    )


def _check_supported(page: _Page) -> None:
    if page.compression not in _COMPRESSIONS:
        raise _unsupported(f"compression {page.compression}")
    if page.bits not in (8, 16):
        raise _unsupported(f"{page.bits} bits a sample")
    samples = {_WHITE_IS_ZERO: (1, 2), _BLACK_IS_ZERO: (1, 2), _RGB: (3, 4), _PALETTE: (1,)}
    if page.samples not in samples.get(page.photometric, ()):
        raise _unsupported(
            f"photometric interpretation {page.photometric} with {page.samples} samples a pixel"
        )


def _check_blocks(page: _Page, size_bytes: int, limits: DecodeLimits) -> None:
    """Every strip or tile must be there, inside the file, and whole where not compressed."""
    check_size(page.block_width, page.block_height, page.samples * page.bits // 8, limits)
    down, across = -(-page.height // page.block_height), -(-page.width // page.block_width)
    expected = down * across * (page.samples if page.separate else 1)
    if len(page.offsets) != expected or len(page.counts) != expected:
        raise corrupt_tiff(
            f"has {len(page.offsets)} offsets and {len(page.counts)} byte counts of strips or "
            f"tiles, where its size asks for {expected} of each"
        )
    if any(o + c > size_bytes for o, c in zip(page.offsets, page.counts, strict=True)):
        raise _truncated()
    row = page.block_width * page.bits // 8 * (1 if page.separate else page.samples)
    if page.compression == _UNCOMPRESSED:
        for index, count in enumerate(page.counts):
            top = index // across % down * page.block_height
            rows = page.block_height if page.tiled else min(page.block_height, page.height - top)
            if count < rows * row:
                raise corrupt_tiff("has an uncompressed strip or tile that is too short")


def _truncated() -> ImageError:
    return truncated("the TIFF file ends before data that its directory points to")


def _unsupported(found: str) -> ImageError:
    return ImageError(
        ErrorCode.UNSUPPORTED_FORMAT,
        f"the TIFF file has {found}; grey, palette or RGB of 8 or 16 bits, uncompressed or with "
        "LZW, Deflate or PackBits, was expected; save it again so",
    )
