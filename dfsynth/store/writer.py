"""What writes one shard, whatever the file format."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """The maps of one row as a format stores them, in the order of the arrays."""

    chunks: tuple[bytes, ...]
    checksum: str
    """`row_checksum` of the stored values."""


class ShardWriter(Protocol):
    """Takes the rows of one shard in order, then puts all its map files in place at once.

    Every index from 0 on is given exactly once, to `append`, `append_encoded` or `skip`. The
    manifest part is not its business: the caller writes it after `commit`. Leaving the context
    without `commit` discards. Not for use by two threads at once.
    """

    def append(self, index: int, maps: Mapping[str, NDArray[Any]]) -> str:
        """Takes the maps, (y, x) each, of the row at `index` in the shard; returns the checksum.

        The values are copied before it returns.

        Raises:
            ImageError: NON_FINITE in the stored type; the row is not taken, `skip` it.
            StoreError: out of order, wrong maps or shapes, or the disk refuses.
        """
        ...

    def append_encoded(self, index: int, row: EncodedRow) -> None:
        """Takes a row that the format's `encode` prepared, in whatever thread.

        Raises:
            StoreError: out of order, or the disk refuses.
        """
        ...

    def skip(self, index: int) -> None:
        """Leaves the row at `index` without values: it reads as the fill value.

        Raises:
            StoreError: out of order.
        """
        ...

    def commit(self) -> None:
        """Flushes every map file to the disk, then gives each its final name.

        Raises:
            StoreError: a row is missing, or the disk refuses.
        """
        ...

    def discard(self) -> None:
        """Drops everything that was written; no error, and no effect after `commit`."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
