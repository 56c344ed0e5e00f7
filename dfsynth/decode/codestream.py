"""Headers of JPEG and JPEG-LS codestreams, and whether they are whole.

The decoders fill what is missing with grey without a word, and reserve memory for whatever size a
header claims. So both are looked at before any of them runs; for JPEG 2000, in `jpeg2000`.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dfsynth.decode.failures import corrupt_codestream, too_many_segments, truncated
from dfsynth.errors import ImageError

JPEG_BASELINE: Final = 0xC0
JPEG_EXTENDED: Final = 0xC1
JPEG_PROGRESSIVE: Final = 0xC2
JPEG_LOSSLESS: Final = 0xC3
JPEG_LS: Final = 0xF7

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8), _START})
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC})
_APP0, _APP14 = 0xE0, 0xEE
_SAY_COLOURS: Final = ("JFIF", "Adobe", "identifiers")
"""Who is believed first, as libjpeg does."""
_MAX_SCANS: Final = 64
MAX_SEGMENTS: Final = 1 << 16
_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")
_AFTER_ENTROPY: Final = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")


Colours: TypeAlias = Literal["RGB", "YCBCR"]


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a codestream's header says of its image."""

    width: int
    height: int
    precision: int
    """Bits a sample."""
    components: int
    signed: bool
    """JPEG 2000 only; the others know no sign."""
    process: int
    """Second byte of the JPEG frame marker; 0 for JPEG 2000."""
    end: int
    """Offset of the end-of-image marker; length of the data for JPEG 2000."""
    colours: Colours | None = None
    """How a JPEG of three components says that they are coded; null where it does not say."""


def jpeg_header(data: bytes) -> Codestream:
    """Walks a JPEG or JPEG-LS codestream from its start marker to its end marker.

    Raises:
        ImageError: `truncated` without an end marker, `corrupt` where the markers make no sense.
    """
    if data[:2] != b"\xff\xd8":
        raise corrupt_codestream("does not begin with a start marker")
    frame: tuple[int, int, int, int, int] | None = None
    said = dict[str, Colours]()
    offset, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        offset, marker = _next_marker(data, offset)
        if marker in _STANDALONE:
            continue
        if marker == _END:
            break
        segment = _segment(data, offset)
        offset += 2 + len(segment)
        if scans == 0:
            said |= _colours(marker, segment)
        if marker in _FRAMES:
            if frame is not None or len(segment) < 6:
                raise corrupt_codestream("has more than one frame header, or a short one")
            precision, height, width, components = struct.unpack_from(">BHHB", segment)
            frame = (width, height, precision, components, marker)
        elif marker == _SCAN:
            scans += 1
            if frame is None or scans > _MAX_SCANS:
                raise corrupt_codestream(
                    f"has a scan before its frame, or more than {_MAX_SCANS} scans"
                )
            offset = _end_of_entropy(data, offset)
    else:
        raise too_many_segments()
    if frame is None or scans == 0:
        raise corrupt_codestream("ends without a frame or without a scan")
    width, height, precision, components, process = frame
    colours = next((said[name] for name in _SAY_COLOURS if name in said), None)
    return Codestream(width, height, precision, components, False, process, offset - 2, colours)


def _colours(marker: int, segment: bytes) -> Mapping[str, Colours]:
    """What one segment says of the coding of three components, by who says it."""
    if marker == _APP0 and segment.startswith(b"JFIF\0"):
        return {"JFIF": "YCBCR"}
    if marker == _APP14 and segment.startswith(b"Adobe") and len(segment) >= 12:
        return {"Adobe": "YCBCR" if segment[11] else "RGB"}
    if marker in _FRAMES and segment[6::3] == b"RGB":
        return {"identifiers": "RGB"}
    return {}


def _next_marker(data: bytes, offset: int) -> tuple[int, int]:
    """Offset after the next marker, and its code; like the decoders, skips other bytes.

    Some writers leave bytes behind the segments they drop; the image is whole all the same.
    """
    found = _MARKER.search(data, offset)
    if found is None:
        raise _truncated()
    return found.end(), data[found.end() - 1]


def _segment(data: bytes, offset: int) -> bytes:
    """The body of the segment whose length stands at `offset`."""
    if offset + 2 > len(data):
        raise _truncated()
    (length,) = struct.unpack_from(">H", data, offset)
    if length < 2:
        raise corrupt_codestream("has a JPEG segment of impossible length")
    if offset + length > len(data):
        raise _truncated()
    return data[offset + 2 : offset + length]


def _end_of_entropy(data: bytes, offset: int) -> int:
    found = _AFTER_ENTROPY.search(data, offset)
    if found is None:
        raise _truncated()
    return found.start()


def _truncated() -> ImageError:
    return truncated("the JPEG data end before their end marker")
