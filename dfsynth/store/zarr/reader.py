"""Reads single images back, and never a wrong value: what is damaged raises."""

from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.store.arrays import ArraySpec, StoredMap
from dfsynth.store.chunk_reader import ChunkReader
from dfsynth.store.zarr.chunk import decode_chunk
from dfsynth.store.zarr.paths import shard_path
from dfsynth.store.zarr.shard_object import read_chunk, read_object_chunk


class ZarrArrays(ChunkReader):
    """The `ArrayReader` of Zarr stores."""

    __slots__ = ()

    def _place(self, name: str, shard: int) -> AnyPath:
        path = shard_path(self.layout, name, shard)
        objects = self.layout.objects
        return path if objects is None else objects / path.relative_to(self.layout.root).as_posix()

    def _read_chunk(self, spec: ArraySpec, shard: int, position: int, what: str) -> bytes | None:
        place = self._place(spec.name, shard)
        if isinstance(place, ObjectPath):
            return read_object_chunk(place, spec.shard_size, position, what)
        return read_chunk(place, spec.shard_size, position, what)

    def _decode(self, spec: ArraySpec, chunk: bytes) -> StoredMap:
        return decode_chunk(spec, chunk)
