"""Writes one shard of a Zarr store as a stream, in row order; memory holds no row."""

from collections.abc import Sequence

from dfsynth.errors import StoreError
from dfsynth.files.durable import sync_folder
from dfsynth.store.arrays import ArraySpec
from dfsynth.store.layout import StoreLayout
from dfsynth.store.shard_stream import ShardStream
from dfsynth.store.zarr.paths import shard_path
from dfsynth.store.zarr.shard_object import ShardObjectWriter


class ZarrShardWriter(ShardStream):
    """The `ShardWriter` of Zarr stores: one object an array."""

    def __init__(self, layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
        """Opens one temporary file per array (image, y, x); the group must exist.

        Raises:
            StoreError: there is no such shard, or the files cannot be made.
        """
        super().__init__(specs, shard)
        self._objects: list[ShardObjectWriter] = []
        try:
            for spec in specs:
                target = shard_path(layout, spec.name, shard)
                owner = layout.owner(shard)
                self._objects.append(
                    ShardObjectWriter(target, layout.scratch, owner, spec.shard_size)
                )
        except StoreError:
            self.discard()
            raise

    def _write(self, index: int, chunks: Sequence[bytes]) -> None:
        for shard_object, chunk in zip(self._objects, chunks, strict=True):
            shard_object.append(index, chunk)

    def _publish(self) -> None:
        for shard_object in self._objects:
            shard_object.seal()
        folders = [shard_object.publish() for shard_object in self._objects]
        for folder in folders:
            sync_folder(folder)
        self._objects.clear()

    def _drop(self) -> None:
        for shard_object in self._objects:
            shard_object.discard()
        self._objects.clear()
