"""Writes one shard of a Zarr store as a stream: encoded in threads, written in row order.

Memory holds the rows in flight (at most `depth`), never the shard.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from numpy.typing import NDArray

from dfsynth.errors import StoreError
from dfsynth.files.durable import sync_folder
from dfsynth.store.arrays import ArraySpec, common_cut
from dfsynth.store.layout import StoreLayout
from dfsynth.store.rows import cast_map, row_checksum, select_maps
from dfsynth.store.writer import EncodedRow
from dfsynth.store.zarr.chunk import encode_chunk
from dfsynth.store.zarr.shard_object import ShardObjectWriter

DEFAULT_THREADS: Final = 2
DEFAULT_DEPTH: Final = 4


def encode_row(specs: Sequence[ArraySpec], maps: Mapping[str, NDArray[Any]]) -> EncodedRow:
    """Casts, checks and encodes the maps, (y, x) each, of one row, in the calling thread.

    Pure, and most of its time without the interpreter's lock: the way to encode many rows at
    once, for `append_encoded`.

    Raises:
        ImageError: NON_FINITE, where a value is not finite in the stored type.
        StoreError: wrong maps, shapes or types.
    """
    chosen = select_maps(specs, maps)
    stored = [cast_map(spec, values) for spec, values in zip(specs, chosen, strict=True)]
    return EncodedRow(tuple(encode_chunk(values) for values in stored), row_checksum(stored))


@dataclass(frozen=True, slots=True)
class _RowInFlight:
    index: int
    chunks: tuple[Future[bytes] | bytes, ...]


class ZarrShardWriter:
    """The `ShardWriter` of Zarr stores."""

    def __init__(
        self,
        layout: StoreLayout,
        specs: Sequence[ArraySpec],
        shard: int,
        *,
        pool: ThreadPoolExecutor | None = None,
        depth: int = DEFAULT_DEPTH,
    ) -> None:
        """Opens one temporary file per array; the group must exist (`write_group`).

        `pool` encodes, and stays the caller's; without one the writer has two threads of its
        own. `depth` is how many rows may wait to be encoded.

        Raises:
            StoreError: no such shard, or the files cannot be made.
        """
        first = common_cut(specs)
        self._specs = tuple(specs)
        self._rows = first.rows_of(shard)
        self._shard = shard
        self._depth = depth
        self._next = 0
        self._waiting: deque[_RowInFlight] = deque()
        self._objects: list[ShardObjectWriter] = []
        self._own_pool = ThreadPoolExecutor(DEFAULT_THREADS) if pool is None else None
        self._pool = pool or self._own_pool
        try:
            for spec in self._specs:
                target = layout.shard_object(spec.name, shard)
                owner = layout.owner(shard)
                self._objects.append(
                    ShardObjectWriter(target, layout.scratch, owner, spec.shard_size)
                )
        except StoreError:
            self.discard()
            raise

    def append(self, index: int, maps: Mapping[str, NDArray[Any]]) -> str:
        """See `ShardWriter.append`."""
        pool = self._expect(index)
        chosen = select_maps(self._specs, maps)
        # Every map is cast and checked before the row counts as taken: maps stay aligned.
        stored = list(pool.map(cast_map, self._specs, chosen))
        chunks = tuple(pool.submit(encode_chunk, values) for values in stored)
        checksum = row_checksum(stored)
        self._take(_RowInFlight(index, chunks))
        return checksum

    def append_encoded(self, index: int, row: EncodedRow) -> None:
        """See `ShardWriter.append_encoded`; `row` comes from `encode_row` with the same specs."""
        self._expect(index)
        if len(row.chunks) != len(self._specs):
            raise StoreError(
                f"an encoded row holds {len(row.chunks)} maps; the store expects {len(self._specs)}"
            )
        self._take(_RowInFlight(index, row.chunks))

    def skip(self, index: int) -> None:
        """See `ShardWriter.skip`."""
        self._expect(index)
        self._next += 1

    def commit(self) -> None:
        """See `ShardWriter.commit`."""
        if self._pool is None or self._next != self._rows:
            raise StoreError(
                f"shard {self._shard} cannot be committed: {self._next} of its {self._rows} rows "
                f"were given{'' if self._pool else ', and its writer is closed'}"
            )
        self._write_waiting(0)
        for shard_object in self._objects:
            shard_object.seal()
        folders = [shard_object.publish() for shard_object in self._objects]
        for folder in folders:
            sync_folder(folder)
        self._close()

    def discard(self) -> None:
        """See `ShardWriter.discard`."""
        for row in self._waiting:
            for chunk in row.chunks:
                if isinstance(chunk, Future):
                    chunk.cancel()
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

    def _expect(self, index: int) -> ThreadPoolExecutor:
        """The pool, once it is certain that the writer is open and `index` is the next row."""
        if self._pool is None:
            raise StoreError(f"the writer of shard {self._shard} is closed: open another one")
        if index != self._next or index >= self._rows:
            raise StoreError(
                f"shard {self._shard} takes its {self._rows} rows in order, each once: "
                f"got row {index}, expected row {self._next}"
            )
        return self._pool

    def _take(self, row: _RowInFlight) -> None:
        self._next += 1
        self._waiting.append(row)
        self._write_waiting(self._depth)

    def _write_waiting(self, keep: int) -> None:
        """Writes the oldest rows until at most `keep` wait."""
        while len(self._waiting) > keep:
            row = self._waiting.popleft()
            for shard_object, chunk in zip(self._objects, row.chunks, strict=True):
                data = chunk.result() if isinstance(chunk, Future) else chunk
                shard_object.append(row.index, data)

    def _close(self) -> None:
        self._waiting.clear()
        self._objects.clear()
        self._pool = None
        if self._own_pool is not None:
            self._own_pool.shutdown(cancel_futures=True)
