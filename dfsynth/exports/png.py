"""PNG of 16 bits: a folder a map, and in each file what its numbers stand for.

PNG (third edition): chunks (section 5.3), filter Up (9.2), text between IHDR and IDAT (11.3.3).

Chunks are put together here because libpng, through any binding, compresses with zlib alone:
libdeflate takes half the time for maps, and makes smaller files of them.
"""

import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from dfsynth.exports.export import Export, ExportImage, describe_map, store_numbers
from dfsynth.exports.folder_format import FilesOfImages

METADATA_KEYWORD: Final = "dfsynth"
"""Of the text that holds what the numbers stand for, as a JSON object."""
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY: Final = 0
"""The colour type."""
_UP: Final = 2
"""The filter of a row: what is stored is the difference to the row above, byte by byte."""
_LEVEL: Final = 1
"""Of libdeflate: higher ones take half as long again or more, for 3 % of maps of 16 bits."""


def encode_pngs(export: Export, image: ExportImage) -> Iterator[bytes]:
    """The PNG of each map of an image: value = scale × stored + offset, as its text says."""
    for facts in export.maps:
        stored = store_numbers(facts, image.maps[facts.name])
        said = describe_map(export, image, facts)
        document = {**said, "scale": stored.scale.scale, "offset": stored.scale.offset}
        texts = {"Description": export.notice, METADATA_KEYWORD: json.dumps(document)}
        yield encode_png(stored.numbers, texts)


def encode_png(numbers: NDArray[Any], texts: Mapping[str, str]) -> bytes:
    """A grey PNG of `numbers` (y, x), uint8 or uint16, with texts by keyword.

    Texts and keywords are Latin-1, of which JSON without other letters is a part.
    """
    height, width = numbers.shape
    depth = 8 * numbers.itemsize
    header = struct.pack(">IIBBBBB", width, height, depth, _GREY, 0, 0, 0)
    said = ("\0".join(each).encode("latin-1") for each in texts.items())
    compressed = bytes(imagecodecs.deflate_encode(_filtered(numbers), level=_LEVEL))
    chunks = [
        _chunk(b"IHDR", header),
        *(_chunk(b"tEXt", text) for text in said),
        _chunk(b"IDAT", compressed),
        _chunk(b"IEND", b""),
    ]
    return b"".join([_SIGNATURE, *chunks])


def _filtered(numbers: NDArray[Any]) -> bytes:
    """The bytes of each row, the higher of a number first, less those above, behind the filter."""
    stored = np.ascontiguousarray(numbers, numbers.dtype.newbyteorder(">"))
    rows = stored.view(np.uint8).reshape(len(stored), -1)
    filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _UP
    # Nothing is above the first row: zeros.
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return filtered.tobytes()


def _chunk(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def map_folders(export: Export) -> tuple[str, ...]:
    """A folder for each map, so that a file has one name in all of them."""
    return tuple(facts.name for facts in export.maps)


PNG: Final = FilesOfImages(
    name="png",
    dtypes=("uint16",),
    folders=map_folders,
    paths=lambda export, stem: tuple(f"{facts.name}/{stem}.png" for facts in export.maps),
    encode=encode_pngs,
)
