"""Reads single images back by the index behind each part, and never a wrong value.

No call goes into the HDF5 library, which works for one thread at a time, must not be forked while
it works, and takes a damaged structure at its word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dfsynth.store.arrays import ArraySpec, StoredMap, named_array
from dfsynth.store.checksum import DamagedBytesError, damage
from dfsynth.store.hdf5.chunk import decode_chunk
from dfsynth.store.hdf5.master import read_key
from dfsynth.store.hdf5.part_index import read_index, structure_crc32c
from dfsynth.store.hdf5.paths import part_path
from dfsynth.store.hdf5.seal import opened
from dfsynth.store.layout import StoreLayout


@dataclass(frozen=True, slots=True)
class Hdf5Arrays:
    """The `ArrayReader` of HDF5 stores; it holds paths and extents."""

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays, in their order."""
        return tuple(spec.name for spec in self.specs)

    def read(self, name: str, row: int) -> StoredMap:
        """One image (y, x) in its stored type; the fill value (NaN, or 0) where the row failed.

        Raises:
            StoreError: there is no such array or row, or its part is missing or damaged.
        """
        spec = named_array(self.specs, name)
        shard, position = spec.place(row)
        path = part_path(self.layout, shard)
        what = f"array {name!r}, row {row}"
        with opened(path, what) as descriptor:
            try:
                index, _ = read_index(descriptor)
                chunk = index.read_chunk(descriptor, name, position)
            except DamagedBytesError as error:
                raise damage(f"{what} in {path}", f"its part {error}") from error
        if chunk is None:
            return spec.empty_map()
        try:
            return decode_chunk(spec, chunk)
        except DamagedBytesError as error:
            raise damage(f"{what} in {path}", f"its chunk {error}") from error


def check_part(layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
    """See `StoreFormat.check_shard`: all of the part that is no chunk, which other programs use.

    Raises:
        StoreError: the part is missing, damaged, or of another store.
    """
    path = part_path(layout, shard)
    with opened(path, "its structure") as descriptor:
        try:
            index, body_bytes = read_index(descriptor)
            found = structure_crc32c(descriptor, index, body_bytes)
        except DamagedBytesError as error:
            raise damage(str(path), f"it {error}") from error
    if found != index.structure_crc32c:
        raise damage(str(path), "its structure is not what was written")
    if index.arrays != tuple(spec.name for spec in specs):
        raise damage(str(path), f"it holds the arrays {', '.join(index.arrays)}")
    if index.key != (read_key(layout) or index.key):
        raise damage(str(path), "it belongs to another store")
