"""Reads single images back, and never a wrong value: what is damaged raises."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from dfsynth.errors import StoreError
from dfsynth.store.arrays import ArraySpec, StoredMap
from dfsynth.store.layout import StoreLayout
from dfsynth.store.rows import row_checksum
from dfsynth.store.zarr.chunk import DamagedBytesError, decode_chunk
from dfsynth.store.zarr.metadata import read_group
from dfsynth.store.zarr.shard_object import damage, read_chunk


@dataclass(frozen=True, slots=True)
class ZarrArrays:
    """The arrays of a store, read one image at a time.

    Holds paths and extents, no open file: any number of threads may share one, and forked or
    spawned processes use their copy as it is.
    """

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]

    @classmethod
    def open(cls, layout: StoreLayout) -> Self:
        """The arrays that the store's metadata names.

        Raises:
            StoreError: there is no store, or it is not laid out as this version writes it.
        """
        return cls(layout, read_group(layout)[0])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(spec.name for spec in self.specs)

    def read(self, name: str, row: int) -> StoredMap:
        """One image (y, x) in its stored type; the fill value (NaN) where the row failed.

        Raises:
            StoreError: no such array or row, or its shard is missing or damaged.
        """
        spec = self._spec(name)
        shard, index = spec.place(row)
        path = self.layout.shard_object(name, shard)
        what = f"array {name!r}, row {row}"
        chunk = read_chunk(path, spec.shard_size, index, what)
        if chunk is None:
            return spec.empty_map()
        try:
            return decode_chunk(spec, chunk)
        except DamagedBytesError as error:
            raise damage(f"{what} in {path}", f"its chunk {error}") from error

    def checksum(self, row: int, names: Sequence[str] | None = None) -> str:
        """`row_checksum` of the values that the store holds, in the order of `names`.

        Raises:
            StoreError: as `read`.
        """
        return row_checksum(self.read(name, row) for name in names or self.names)

    def _spec(self, name: str) -> ArraySpec:
        for spec in self.specs:
            if spec.name == name:
                return spec
        raise StoreError(f"the store has no array {name!r}: it holds {', '.join(self.names)}")
