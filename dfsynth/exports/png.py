"""PNG of 16 bits: a folder a map, and in each file what its numbers stand for.

PNG (third edition), section 11.3.3: text chunks, here between IHDR and IDAT.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import imagecodecs

from dfsynth.exports.export import Export, ExportImage, describe_map, store_numbers
from dfsynth.exports.folder_format import FilesOfImages

METADATA_KEYWORD: Final = "dfsynth"
"""Of the text that holds what the numbers stand for, as a JSON object."""
_HEADER_BYTES: Final = 33
"""The signature and IHDR, which comes first."""
_FAST: Final = {
    "level": imagecodecs.PNG.COMPRESSION.SPEED,
    "strategy": imagecodecs.PNG.STRATEGY.RLE,
    "filter": imagecodecs.PNG.FILTER.PAETH,
}
"""Of compression: half the time of libpng's own choice where maps are noisy, for a few per cent."""


def encode_pngs(export: Export, image: ExportImage) -> Iterator[bytes]:
    """The PNG of each map of an image: value = scale × stored + offset, as its text says."""
    for facts in export.maps:
        stored = store_numbers(facts, image.maps[facts.name])
        said = describe_map(export, image, facts)
        document = {**said, "scale": stored.scale.scale, "offset": stored.scale.offset}
        encoded = bytes(imagecodecs.png_encode(stored.numbers, **_FAST))
        yield (
            encoded[:_HEADER_BYTES]
            + _text("Description", export.notice)
            + _text(METADATA_KEYWORD, json.dumps(document))
            + encoded[_HEADER_BYTES:]
        )


def _text(keyword: str, text: str) -> bytes:
    """A tEXt chunk; the text is Latin-1, of which JSON without other letters is a part."""
    content = b"tEXt" + keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


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
