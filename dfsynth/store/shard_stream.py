"""What the shard writers of all formats have alike: rows in order, then all or nothing."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError
from dfsynth.store.arrays import ArraySpec, common_cut
from dfsynth.store.format import EncodedRow


class ShardStream(ABC):
    """A `ShardWriter` but for where the bytes go, which formats say."""

    def __init__(self, specs: Sequence[ArraySpec], shard: int) -> None:
        """Takes up the extent of a shard of the arrays (image, y, x).

        Raises:
            StoreError: there is no such shard, or the arrays do not fit together.
        """
        self._rows = common_cut(specs).rows_of(shard)
        self._arrays = len(specs)
        self._shard = shard
        self._next = 0
        self._open = True

    @abstractmethod
    def _write(self, index: int, chunks: Sequence[bytes]) -> None:
        """Writes the chunks of the row at `index`, one for each array.

        Raises:
            StoreError: the disk refuses.
        """

    @abstractmethod
    def _publish(self) -> None:
        """Flushes everything to the disk and gives every file its name.

        Raises:
            StoreError: the disk refuses.
        """

    @abstractmethod
    def _drop(self) -> None:
        """Drops every temporary file that is left; no error, and no effect after `_publish`."""

    def append(self, index: int, row: EncodedRow) -> None:
        """See `ShardWriter.append`; `row` was encoded for the same arrays.

        Raises:
            StoreError: the row is out of order or holds another number of maps, the writer is
                closed, or the disk refuses.
        """
        self._expect(index)
        if len(row.chunks) != self._arrays:
            raise StoreError(
                f"an encoded row holds {counted(len(row.chunks), 'map')}; the store expects "
                f"{self._arrays}"
            )
        self._write(index, row.chunks)
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
                f"shard {self._shard} cannot be committed: found {self._next} of "
                f"{counted(self._rows, 'row')} given, expected all"
                f"{'' if self._open else ', and its writer is closed'}"
            )
        self._publish()
        self._open = False

    def discard(self) -> None:
        """See `ShardWriter.discard`."""
        self._drop()
        self._open = False

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
                f"shard {self._shard} takes its {counted(self._rows, 'row')} in order, each once: "
                f"got row {index}, expected row {self._next}"
            )
