"""Rows of a table that is longer than memory, written once and read as often as wanted."""

import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dfsynth.files.faults import store_faults

_MEMORY_BYTES: Final = 64 * 1024**2
"""Compressed rows up to so many bytes stay in memory; what comes after them lies on the disk."""
_PACKING: Final = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass(frozen=True, slots=True)
class _OnDisk:
    """Where a compressed batch lies in the file."""

    offset: int
    size_bytes: int


class RowSpool:
    """Record batches of one schema, compressed; all but the first 64 MB in a file without a name.

    The file lies where the system keeps temporary files (TMPDIR says where) and is gone with this
    object, however its process ends. Appended to by one thread; then read by any number of them.
    """

    def __init__(self, schema: pa.Schema) -> None:
        """Makes no file yet."""
        self.schema = schema
        self._parts: list[bytes | _OnDisk] = []
        self._starts = [0]
        self._room = _MEMORY_BYTES
        self._file: BinaryIO | None = None

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """The rows of a table, in its chunks."""
        spool = cls(table.schema)
        for batch in table.to_batches():
            spool.append(batch)
        return spool

    @property
    def num_rows(self) -> int:
        """Rows so far."""
        return self._starts[-1]

    def append(self, batch: pa.RecordBatch) -> None:
        """Adds rows of the schema.

        Raises:
            StoreError: the disk of temporary files refuses.
        """
        if batch.num_rows == 0:
            return
        packed = self._pack(batch)
        if len(packed) <= self._room:
            self._room -= len(packed)
            self._parts.append(packed)
        else:
            self._parts.append(self._write(packed))
        self._starts.append(self.num_rows + batch.num_rows)

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """All rows in order, as they were appended; with `columns`, these alone, in their order.

        Raises:
            StoreError: the disk of temporary files refuses.
        """
        return (self._read(number, columns) for number in range(len(self._parts)))

    def column(self, name: str) -> "SpooledColumn":
        """One column, batch by batch."""
        return SpooledColumn(self, name)

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Some rows, by their ascending numbers (n); only the batches that hold them are read.

        Raises:
            StoreError: the disk of temporary files refuses.
        """
        starts = np.asarray(self._starts)
        holders = np.searchsorted(starts, rows, side="right") - 1
        found = [
            self._read(number, columns).take(pa.array(rows[holders == number] - starts[number]))
            for number in np.unique(holders).tolist()
        ]
        return pa.Table.from_batches(found, self._schema_of(columns))

    def table(self) -> pa.Table:
        """All rows at once, for what is known to be small.

        Raises:
            StoreError: the disk of temporary files refuses.
        """
        return pa.Table.from_batches(list(self.batches()), self.schema)

    def _pack(self, batch: pa.RecordBatch) -> bytes:
        """A stream of its own for each batch, so that each can be read for itself."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema, options=_PACKING) as writer:
            writer.write_batch(batch)
        return bytes(sink.getvalue())

    def _write(self, packed: bytes) -> _OnDisk:
        with store_faults(f"keep a long listing below {tempfile.gettempdir()} (TMPDIR)"):
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this object
                weakref.finalize(self, self._file.close)
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(packed)
            self._file.flush()
        return _OnDisk(offset, len(packed))

    def _read(self, number: int, columns: Sequence[str] | None) -> pa.RecordBatch:
        part = self._parts[number]
        if isinstance(part, _OnDisk):
            part = self._read_file(part)
        chosen = None if columns is None else [self.schema.get_field_index(n) for n in columns]
        options = pa.ipc.IpcReadOptions(included_fields=chosen)
        batch = pa.ipc.open_stream(part, options=options).read_next_batch()
        return batch if columns is None else batch.select(list(columns))

    def _read_file(self, place: _OnDisk) -> bytes:
        assert self._file is not None
        with store_faults(f"read a long listing below {tempfile.gettempdir()} (TMPDIR)"):
            return os.pread(self._file.fileno(), place.size_bytes, place.offset)

    def _schema_of(self, columns: Sequence[str]) -> pa.Schema:
        return pa.schema([self.schema.field(name) for name in columns])


@dataclass(frozen=True, slots=True)
class SpooledColumn:
    """The arrays of one column, which can be gone through as often as wanted."""

    spool: RowSpool
    name: str

    def __iter__(self) -> "Iterator[pa.Array[Any]]":
        for batch in self.spool.batches([self.name]):
            yield batch.column(0)

    @property
    def null_count(self) -> int:
        """How many values are null."""
        return sum(values.null_count for values in self)
