"""One shard of one array as one file: a Zarr v3 `sharding_indexed` object.

    chunk, chunk, …, index: per row (offset, nbytes) as uint64 little-endian, crc32c of the index

Chunks follow each other in row order. A row without a chunk has (2⁶⁴ − 1, 2⁶⁴ − 1) in the index,
takes no bytes and reads as the fill value. The object always exists, even where no row has a
chunk, so that a missing file is damage and never looks like an empty one.
"""

import os
from pathlib import Path
from typing import Final

import numpy as np

from dfsynth.errors import StoreError
from dfsynth.files.durable import DurableFile
from dfsynth.files.object_errors import object_faults
from dfsynth.files.object_path import ObjectPath
from dfsynth.files.objects import fetch
from dfsynth.files.ranges import opened, read_range
from dfsynth.store.checksum import (
    CRC_BYTES,
    DamagedBytesError,
    damage,
    with_checksum,
    without_checksum,
)

MISSING: Final = 2**64 - 1
_ENTRY_BYTES: Final = 16


class ShardObjectWriter:
    """Appends chunks to the object of one shard; memory holds the index and nothing else."""

    def __init__(self, target: Path, scratch: Path, owner: str, positions: int) -> None:
        """Opens a temporary file in `scratch` for a shard of `positions` rows.

        Raises:
            StoreError: the file cannot be made.
        """
        self._file = DurableFile(target, scratch, owner)
        self._index = np.full((positions, 2), MISSING, dtype="<u8")
        self._size_bytes = 0

    def append(self, position: int, chunk: bytes) -> None:
        """Writes the chunk of the row at `position`, 0 ≤ position < positions.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        self._file.write(chunk)
        self._index[position] = (self._size_bytes, len(chunk))
        self._size_bytes += len(chunk)

    def seal(self) -> None:
        """Writes the index and flushes everything to the disk.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        self._file.write(with_checksum(self._index.tobytes()))
        self._file.seal()

    def publish(self) -> Path:
        """Gives the sealed file its name; returns the folder that is still to be flushed.

        Raises:
            StoreError: the name cannot be taken.
        """
        self._file.publish()
        return self._file.target.parent

    def discard(self) -> None:
        """Drops the temporary file."""
        self._file.discard()


def read_chunk(path: Path, positions: int, position: int, what: str) -> bytes | None:
    """The bytes of one chunk, None where the row has none; opens and closes the file.

    `what` names the array and row in errors.

    Raises:
        StoreError: the file is missing, unreadable or damaged.
    """
    index_bytes = positions * _ENTRY_BYTES + CRC_BYTES
    with opened(path, what) as descriptor:
        end = os.fstat(descriptor).st_size - index_bytes
        raw = read_range(descriptor, index_bytes, end) if end >= 0 else b""
        offset, size_bytes = _entry(raw, position, end, f"{what} in {path}")
        return None if offset == MISSING else read_range(descriptor, size_bytes, offset)


def read_object_chunk(path: ObjectPath, positions: int, position: int, what: str) -> bytes | None:
    """As `read_chunk`, of a shard in an object store: two requests, the index and the chunk.

    Raises:
        StoreError: the object is missing, unreadable or damaged.
    """
    index_bytes = positions * _ENTRY_BYTES + CRC_BYTES
    with object_faults(f"read {what} from {path}", path.bucket, StoreError):
        raw = fetch(path, None, start=-index_bytes)
        if raw is None:
            raise damage(f"{what} in {path}", "there is no such object")
        whole = raw if len(raw) == index_bytes else b""
        offset, size_bytes = _entry(whole, position, None, f"{what} in {path}")
        return None if offset == MISSING else fetch(path, offset + size_bytes, start=offset)


def _entry(raw: bytes, position: int, end: int | None, what: str) -> tuple[int, int]:
    """Offset and size of one chunk from the bytes of the index, which start at `end`, if known."""
    if not raw:
        raise damage(what, "the file is too short to hold its index")
    try:
        index = np.frombuffer(without_checksum(raw), dtype="<u8").reshape(-1, 2)
    except DamagedBytesError as error:
        raise damage(what, f"the index of its shard {error}") from error
    offset, size_bytes = int(index[position, 0]), int(index[position, 1])
    missing = (offset, size_bytes) == (MISSING, MISSING)
    if not missing and end is not None and offset + size_bytes > end:
        raise damage(what, "the index points outside the file")
    return offset, size_bytes
