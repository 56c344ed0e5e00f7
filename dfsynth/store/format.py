"""What a file format has to offer so that a store can be kept in it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from numpy.typing import NDArray

from dfsynth.files.json_record import Json
from dfsynth.store.arrays import ArraySpec, StoredMap
from dfsynth.store.layout import StoreLayout

if TYPE_CHECKING:
    import h5py
    import zarr

PlainGroup: TypeAlias = "zarr.Group | h5py.File"
"""The arrays of a store as the library of its format opens them."""


@dataclass(frozen=True, slots=True)
class EncodedRow:
    """The maps of one row as a format stores them."""

    chunks: tuple[bytes, ...]
    """One for each array, in the order of the arrays."""
    checksum: str
    """`dfsynth.store.row_checksum` of the stored values."""


class ShardWriter(Protocol):
    """Takes the rows of one shard in order, then puts all its array files in place at once.

    Every index from 0 on is given exactly once, to `append` or to `skip`. The manifest part is not
    its business: the caller writes it after `commit`. Leaving the context without `commit`
    discards. Not for use by two threads at once.
    """

    def append(self, index: int, row: EncodedRow) -> None:
        """Takes the row at `index` in the shard, as `StoreFormat.encode_row` encoded it.

        Raises:
            StoreError: the row is out of order or holds another number of maps, the writer is
                closed, or the disk refuses.
        """
        ...

    def skip(self, index: int) -> None:
        """Leaves the row at `index` without values: it reads as the fill value.

        Raises:
            StoreError: the row is out of order, or the writer is closed.
        """
        ...

    def commit(self) -> None:
        """Flushes every array file to the disk, then gives each its final name.

        Raises:
            StoreError: A row is missing, the writer is closed, or the disk refuses.
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


class ArrayReader(Protocol):
    """The arrays of a store, read one image at a time.

    It holds no open file: any number of threads may share one, and forked or spawned processes
    use their copy as it is.
    """

    @property
    def specs(self) -> tuple[ArraySpec, ...]:
        """The arrays that can be read."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in the same order."""

    def read(self, name: str, row: int) -> StoredMap:
        """One image (y, x) in its stored type; the fill value (NaN, or 0) where the row failed.

        Raises:
            StoreError: there is no such array or row, or its shard is missing or damaged.
        """


def find_no_documents(
    _layout: StoreLayout, _specs: Sequence[ArraySpec], _attributes: Mapping[str, Json]
) -> Iterator[str]:
    """Of a format whose `read_group` reads all that `write_group` wrote."""
    return iter(())


@dataclass(frozen=True, slots=True)
class StoreFormat:
    """All that jobs, verification and reading need of a file format; stateless functions."""

    name: str
    suffixes: frozenset[str]
    """Endings, in lower case, of the names of stores in this format; for example `.zarr`."""
    documents: frozenset[str]
    """Names of the files that `write_group` makes in the store's folder, or one folder below; none
    where the store is named by a file, which it makes."""
    compression: str
    """How values are packed, in a few words; a store keeps it, and a resume must have the same."""
    refuses_missing: bool
    """Whether a store that lacks files of committed shards is refused when it is opened: its own
    library would read fill values instead, and say nothing."""
    has_group: Callable[[StoreLayout], bool]
    """Whether there is a group in this format; for a folder, a file of that name is enough."""
    write_group: Callable[[StoreLayout, Sequence[ArraySpec], Mapping[str, Json]], None]
    """Makes the arrays without any row, and the attributes; or writes both anew, for more rows.

    Raises StoreError where the arrays do not fit together or a file cannot be written, ValueError
    and TypeError where an attribute is nothing that JSON knows.
    """
    read_group: Callable[[StoreLayout], tuple[tuple[ArraySpec, ...], dict[str, Json]]]
    """The arrays, in the order in which they were made, and the attributes.

    Raises StoreError where there is no group, or it is not laid out as this version writes it.
    """
    encode_row: Callable[[Sequence[ArraySpec], Mapping[str, NDArray[Any]]], EncodedRow]
    """Casts, checks and encodes the maps, (y, x) each by name, of one row, in the calling thread.

    Raises ImageError (NON_FINITE) where a value is not finite in the stored type, StoreError where
    maps, shapes or types are not those of the arrays.
    """
    shard_writer: Callable[[StoreLayout, Sequence[ArraySpec], int], ShardWriter]
    """Opens a writer for one shard of a group that `write_group` made.

    Raises StoreError where there is no such shard, or its files cannot be made.
    """
    array_reader: Callable[[StoreLayout, tuple[ArraySpec, ...]], ArrayReader]
    """A reader of these arrays, whatever the group's documents say."""
    shard_files: Callable[[StoreLayout, Sequence[str], int], list[Path]]
    """The files, whether they exist or not, of one shard of the arrays of these names."""
    check_shard: Callable[[StoreLayout, Sequence[ArraySpec], int], None]
    """Checks what other programs find the rows of a shard by, which `ArrayReader` does not use.

    Raises StoreError where it is not what was written.
    """
    open_group: Callable[[StoreLayout], PlainGroup]
    """The store, read-only, as the format's own library opens it."""
    find_changed_documents: Callable[
        [StoreLayout, Sequence[ArraySpec], Mapping[str, Json]], Iterator[str]
    ] = find_no_documents
    """What differs from what `write_group` writes in what `read_group` does not look at.

    One sentence part for each document; it is other programs that read them.
    """

    def open_arrays(self, layout: StoreLayout) -> ArrayReader:
        """A reader of the arrays that the group's documents name.

        Raises:
            StoreError: there is no group, or it is not laid out as this version writes it.
        """
        return self.array_reader(layout, self.read_group(layout)[0])
