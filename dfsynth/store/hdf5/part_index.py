"""What is sealed behind a part file: where each chunk lies, and what the rest of the file is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from dfsynth.files.json_record import parse_object
from dfsynth.files.ranges import read_range
from dfsynth.store.checksum import CRC_BYTES, DamagedBytesError, crc32c
from dfsynth.store.hdf5.seal import read_seal

_ENTRY: Final = np.dtype([("offset", "<u8"), ("size_bytes", "<u8"), ("crc32c", "<u4")])


def no_entries(arrays: int, positions: int) -> NDArray[np.void]:
    """Entries (array, position) of a part without chunks: none takes any byte."""
    return np.zeros((arrays, positions), dtype=_ENTRY)


@dataclass(frozen=True, slots=True)
class PartIndex:
    """The chunks of one part file, and a checksum of everything else in it."""

    key: str
    """Of the store, see `dfsynth.store.hdf5.paths.dataset_name`."""
    arrays: tuple[str, ...]
    """Their names, in the order of the entries."""
    entries: NDArray[np.void]
    """(array, position in the shard) of offset, size_bytes and crc32c; of no bytes, no chunk."""
    structure_crc32c: int
    """Of all bytes of the HDF5 file that belong to no chunk, one after the other."""

    def to_bytes(self) -> bytes:
        """The message to seal."""
        header = {
            "key": self.key,
            "arrays": list(self.arrays),
            "structure_crc32c": self.structure_crc32c,
        }
        return json.dumps(header).encode() + b"\n" + self.entries.tobytes()

    @classmethod
    def from_bytes(cls, message: bytes) -> Self:
        """The index that `to_bytes` wrote.

        Raises:
            DamagedBytesError: the message is of no index.
        """
        header, _, entries = message.partition(b"\n")
        try:
            found = parse_object(header)
            arrays = tuple(found["arrays"])
            table = np.frombuffer(entries, dtype=_ENTRY).reshape(len(arrays), -1)
            return cls(found["key"], arrays, table, found["structure_crc32c"])
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedBytesError("has an index of another kind") from error

    def read_chunk(self, descriptor: int, array: str, position: int) -> bytes | None:
        """The bytes of one chunk with their crc32c behind them; None where the row has none.

        Raises:
            DamagedBytesError: the file has no such chunk.
            OSError: the system refuses.
        """
        if array not in self.arrays or not position < self.entries.shape[1]:
            raise DamagedBytesError("is that of other arrays")
        entry = self.entries[self.arrays.index(array), position]
        size_bytes = int(entry["size_bytes"])
        if size_bytes == 0:
            return None
        data = read_range(descriptor, size_bytes, int(entry["offset"]))
        return data + int(entry["crc32c"]).to_bytes(CRC_BYTES, "little")


def read_index(descriptor: int) -> tuple[PartIndex, int]:
    """The index behind an open part file, and how many bytes the HDF5 file before it has.

    Raises:
        DamagedBytesError: there is none, or it is not what was written.
        OSError: the system refuses.
    """
    message, body_bytes = read_seal(descriptor)
    return PartIndex.from_bytes(message), body_bytes


def structure_crc32c(descriptor: int, entries: NDArray[np.void], body_bytes: int) -> int:
    """The checksum of all bytes of the HDF5 file that belong to no chunk of the entries.

    Raises:
        DamagedBytesError: chunks overlap or lie outside the file.
        OSError: the system refuses.
    """
    runs = _structure(entries, body_bytes)
    return crc32c(b"".join(read_range(descriptor, size, offset) for offset, size in runs))


def _structure(entries: NDArray[np.void], body_bytes: int) -> Iterator[tuple[int, int]]:
    """Offset and size of every run of bytes that belongs to no chunk, in order.

    Raises:
        DamagedBytesError: chunks overlap or lie outside the `body_bytes` of the HDF5 file.
    """
    chunks = entries[entries["size_bytes"] > 0]
    start = 0
    for entry in np.sort(chunks, order="offset"):
        offset, size_bytes = int(entry["offset"]), int(entry["size_bytes"])
        if not start <= offset <= body_bytes - size_bytes:
            raise DamagedBytesError("has an index that points outside the file")
        if offset > start:
            yield start, offset - start
        start = offset + size_bytes
    if body_bytes > start:
        yield start, body_bytes - start
