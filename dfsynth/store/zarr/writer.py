"""Writes one shard of a Zarr store as a stream, in row order; memory holds no row."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from dfsynth.errors import StoreError
from dfsynth.files.durable import sync_folder
from dfsynth.store.arrays import ArraySpec, common_cut
from dfsynth.store.format import EncodedRow
from dfsynth.store.layout import StoreLayout
from dfsynth.store.rows import cast_map, row_checksum, select_maps
from dfsynth.store.zarr.chunk import encode_chunk
from dfsynth.store.zarr.paths import shard_path
from dfsynth.store.zarr.shard_object import ShardObjectWriter


def encode_row(specs: Sequence[ArraySpec], maps: Mapping[str, NDArray[Any]]) -> EncodedRow:
    """Casts, checks and encodes the maps, (y, x) each by name, of one row.

    Pure, in the calling thread and most of its time without the interpreter's lock, so that many
    threads encode many rows at once. What it returns shares no memory with `maps`.

    Raises:
        ImageError: NON_FINITE, where a value is not finite in the stored type.
        StoreError: the maps, their shapes or their types are not those of `specs`.
    """
    chosen = select_maps(specs, maps)
    stored = [cast_map(spec, values) for spec, values in zip(specs, chosen, strict=True)]
    return EncodedRow(tuple(encode_chunk(values) for values in stored), row_checksum(stored))


class ZarrShardWriter:
    """The `ShardWriter` of Zarr stores."""

    def __init__(self, layout: StoreLayout, specs: Sequence[ArraySpec], shard: int) -> None:
        """Opens one temporary file per array (image, y, x); the group must exist.

        Raises:
            StoreError: there is no such shard, or the files cannot be made.
        """
        self._rows = common_cut(specs).rows_of(shard)
        self._arrays = len(specs)
        self._shard = shard
        self._next = 0
        self._open = True
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

    def append(self, index: int, row: EncodedRow) -> None:
        """See `ShardWriter.append`; `row` comes from `encode_row` with the same specs.

        Raises:
            StoreError: the row is out of order or holds another number of maps, the writer is
                closed, or the disk refuses.
        """
        self._expect(index)
        if len(row.chunks) != self._arrays:
            raise StoreError(
                f"an encoded row holds {len(row.chunks)} maps; the store expects {self._arrays}"
            )
        for shard_object, chunk in zip(self._objects, row.chunks, strict=True):
            shard_object.append(index, chunk)
        self._next += 1

    def skip(self, index: int) -> None:
        """See `ShardWriter.skip`.

        Raises:
            StoreError: the row is out of order, or the writer is closed.
        """
        self._expect(index)
        self._next += 1

    def commit(self) -> None:
        """See `ShardWriter.commit`.

        Raises:
            StoreError: A row is missing, the writer is closed, or the disk refuses.
        """
        if not self._open or self._next != self._rows:
            raise StoreError(
                f"shard {self._shard} cannot be committed: {self._next} of its {self._rows} rows "
                f"were given{'' if self._open else ', and its writer is closed'}"
            )
        for shard_object in self._objects:
            shard_object.seal()
        folders = [shard_object.publish() for shard_object in self._objects]
        for folder in folders:
            sync_folder(folder)
        self._close()

    def discard(self) -> None:
        """See `ShardWriter.discard`."""
        for shard_object in self._objects:
            shard_object.discard()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.discard()

    def _expect(self, index: int) -> None:
        """Requires that `index` is the next row and that the writer is open."""
        if not self._open:
            raise StoreError(f"the writer of shard {self._shard} is closed: open another one")
        if index != self._next or index >= self._rows:
            raise StoreError(
                f"shard {self._shard} takes its {self._rows} rows in order, each once: "
                f"got row {index}, expected row {self._next}"
            )

    def _close(self) -> None:
        self._objects.clear()
        self._open = False
