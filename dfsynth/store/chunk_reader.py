"""What the readers of all formats have alike: one image, or an error that names it."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from dfsynth.files.object_path import AnyPath
from dfsynth.store.arrays import ArraySpec, StoredMap, named_array
from dfsynth.store.checksum import DamagedBytesError, damage
from dfsynth.store.layout import StoreLayout


@dataclass(frozen=True, slots=True)
class ChunkReader(ABC):
    """An `ArrayReader` but for where chunks lie and how they are packed, which formats say.

    It holds paths and extents.
    """

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
        shard, position = spec.place(row)
        what = f"array {name!r}, row {row}"
        chunk = self._read_chunk(spec, shard, position, what)
        if chunk is None:
            return spec.empty_map()
        try:
            return self._decode(spec, chunk)
        except DamagedBytesError as error:
            where = self._place(name, shard)
            raise damage(f"{what} in {where}", f"its chunk {error}") from error

    @abstractmethod
    def _place(self, name: str, shard: int) -> AnyPath:
        """What holds the rows of a shard of one array."""

    @abstractmethod
    def _read_chunk(self, spec: ArraySpec, shard: int, position: int, what: str) -> bytes | None:
        """The bytes of the chunk at a position of a shard; None where the row has none.

        `what` names array and row in errors.

        Raises:
            StoreError: the shard is missing, unreadable or damaged.
        """

    @abstractmethod
    def _decode(self, spec: ArraySpec, chunk: bytes) -> StoredMap:
        """The (y, x) map of a chunk.

        Raises:
            DamagedBytesError: the bytes are not what was written, or not of this array.
        """
