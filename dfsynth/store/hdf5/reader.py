"""Reads single images back by the index behind each part, and never a wrong value.

No call goes into the HDF5 library, which works for one thread at a time, must not be forked while
it works, and takes a damaged structure at its word.
"""

from collections.abc import Sequence
from pathlib import Path

from dfsynth.files.ranges import opened
from dfsynth.store.arrays import ArraySpec, StoredMap
from dfsynth.store.checksum import DamagedBytesError, damage
from dfsynth.store.chunk_reader import ChunkReader
from dfsynth.store.hdf5.chunk import decode_chunk
from dfsynth.store.hdf5.master import read_key
from dfsynth.store.hdf5.part_index import read_index, structure_crc32c
from dfsynth.store.hdf5.paths import part_path
from dfsynth.store.layout import StoreLayout


class Hdf5Arrays(ChunkReader):
    """The `ArrayReader` of HDF5 stores."""

    __slots__ = ()

    def _place(self, name: str, shard: int) -> Path:  # noqa: ARG002 - a part has every array
        return part_path(self.layout, shard)

    def _read_chunk(self, spec: ArraySpec, shard: int, position: int, what: str) -> bytes | None:
        path = part_path(self.layout, shard)
        with opened(path, what) as descriptor:
            try:
                index, _ = read_index(descriptor)
                return index.read_chunk(descriptor, spec.name, position)
            except DamagedBytesError as error:
                raise damage(f"{what} in {path}", f"its part {error}") from error

    def _decode(self, spec: ArraySpec, chunk: bytes) -> StoredMap:
        return decode_chunk(spec, chunk)


def check_part(layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
    """See `StoreFormat.check_shard`: all of the part that is no chunk, which other programs use.

    Raises:
        StoreError: the part is missing, damaged, or of another store.
    """
    path = part_path(layout, shard)
    with opened(path, "its structure") as descriptor:
        try:
            index, body_bytes = read_index(descriptor)
            found = structure_crc32c(descriptor, index.entries, body_bytes)
        except DamagedBytesError as error:
            raise damage(str(path), f"it {error}") from error
    if found != index.structure_crc32c:
        raise damage(str(path), "its structure is not what was written")
    if index.arrays != tuple(spec.name for spec in specs):
        raise damage(str(path), f"it holds the arrays {', '.join(index.arrays)}")
    if index.key != (read_key(layout) or index.key):
        raise damage(str(path), "it belongs to another store")
