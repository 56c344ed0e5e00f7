"""Reads single images back, and never a wrong value: what is damaged raises."""

from dataclasses import dataclass

from dfsynth.store.arrays import ArraySpec, StoredMap, named_array
from dfsynth.store.checksum import DamagedBytesError, damage
from dfsynth.store.layout import StoreLayout
from dfsynth.store.zarr.chunk import decode_chunk
from dfsynth.store.zarr.paths import shard_path
from dfsynth.store.zarr.shard_object import read_chunk, read_object_chunk


@dataclass(frozen=True, slots=True)
class ZarrArrays:
    """The `ArrayReader` of Zarr stores; it holds paths and extents."""

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays, in their order."""
        return tuple(spec.name for spec in self.specs)

    def read(self, name: str, row: int) -> StoredMap:
        """One image (y, x) in its stored type; the fill value (NaN, or 0) where the row failed.

        Raises:
            StoreError: there is no such array or row, or its shard is missing or damaged.
        """
        spec = named_array(self.specs, name)
        shard, index = spec.place(row)
        what = f"array {name!r}, row {row}"
        objects = self.layout.objects
        path = shard_path(self.layout, name, shard)
        if objects is None:
            chunk = read_chunk(path, spec.shard_size, index, what)
        else:
            place = objects / path.relative_to(self.layout.root).as_posix()
            chunk = read_object_chunk(place, spec.shard_size, index, what)
        if chunk is None:
            return spec.empty_map()
        try:
            return decode_chunk(spec, chunk)
        except DamagedBytesError as error:
            raise damage(f"{what} in {path}", f"its chunk {error}") from error
