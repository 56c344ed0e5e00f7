"""The plan: every input's row and shard, fixed once and for good.

A pure function of the listing, the shard size and the limit. The line of row i of the arrays says
so in its column `row`: lines and rows differ where a store was extended (`dfsynth.store.cut`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.files.parquet_checksum import checksummed_writer
from dfsynth.files.row_spool import RowSpool
from dfsynth.records import PairItem, SourceItem
from dfsynth.store.cut import Cut

Item = TypeVar("Item")

_GROUP_ROWS: Final = 65_536
_NUMBERS: Final = (pa.field("row", pa.int64()), pa.field("shard", pa.int32()))


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """The first `limit` lines of a listing, with the columns `row` (int64) and `shard` (int32)."""

    listed: RowSpool
    shard_size: int
    limit: int | None
    first_shard: int = 0
    """The first line is its first row."""

    @property
    def num_rows(self) -> int:
        """How many lines there are."""
        listed = self.listed.num_rows
        return listed if self.limit is None else min(listed, self.limit)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The lines in order; numbered anew each time."""
        schema = pa.schema([*_NUMBERS, *self.listed.schema])
        left, first = self.num_rows, self.first_shard * self.shard_size
        for listed in self.listed.batches():
            batch = listed.slice(0, left)
            row = np.arange(first, first + batch.num_rows, dtype=np.int64)
            shard = (row // self.shard_size).astype(np.int32)
            columns = [pa.array(row), pa.array(shard), *batch.columns]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            left, first = left - batch.num_rows, first + batch.num_rows
            if not left:
                return


def write_plan(lines: Iterable[pa.RecordBatch], target: Any, cut: Cut) -> None:
    """Writes a plan as Parquet to an open binary stream; no shard straddles two row groups.

    Equal lines give equal bytes, however they come in batches.

    Args:
        lines: One for each input of `cut`, in order, at least one.
        target: A binary stream.
        cut: How they lie in shards; each planning begins a row group.

    Raises:
        OSError: the system refuses.
    """
    batches = iter(lines)
    first = next(batches)
    with checksummed_writer(target, first.schema, compression="zstd") as writer:
        for group in _regrouped(chain([first], batches), cut):
            writer.write_table(group, row_group_size=group.num_rows)


def _regrouped(batches: Iterator[pa.RecordBatch], cut: Cut) -> Iterator[pa.Table]:
    """The lines in the row groups of a plan, each in one piece."""
    most = _shards_of_group(cut.shard_size) * cut.shard_size
    waiting: list[pa.RecordBatch] = []
    held = 0
    for inputs in cut.segments:
        for start in range(0, inputs, most):
            rows = min(most, inputs - start)
            while held < rows:
                waiting.append(next(batches))
                held += waiting[-1].num_rows
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, rows).combine_chunks()
            waiting = table.slice(rows).to_batches()
            held -= rows


def read_plan(path: Path, cut: Cut) -> Iterator[pa.RecordBatch]:
    """The whole plan, as `write_plan` takes it, one row group at a time.

    A file that holds more lines than `cut` was extended since: it begins with the same ones.

    Raises:
        StoreError: it is missing or damaged; of what is read later, when it is.
    """
    file = _open_plan(path, cut)
    return chain.from_iterable(_read_groups(path, file, cut.inputs, None))


def read_planned_ids(path: Path, cut: Cut) -> Iterator["pa.Array[Any]"]:
    """The image ids of the whole plan, in order.

    Raises:
        StoreError: it is missing or damaged; of what is read later, when it is.
    """
    file = _open_plan(path, cut)
    groups = _read_groups(path, file, cut.inputs, ["image_id"])
    return (batch.column(0) for batches in groups for batch in batches)


def _open_plan(path: Path, cut: Cut) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _damaged(path) from error
    if file.metadata.num_rows < cut.inputs:
        raise _damaged(path)
    return file


def _read_groups(
    path: Path, file: pq.ParquetFile, lines: int, columns: list[str] | None
) -> Iterator[list[pa.RecordBatch]]:
    """The first `lines` lines of a plan."""
    for group in range(file.num_row_groups):
        if lines <= 0:
            return
        table = _read_group(path, file, group, columns).slice(0, lines)
        lines -= table.num_rows
        yield table.to_batches()


def _read_group(
    path: Path, file: pq.ParquetFile, group: int, columns: list[str] | None = None
) -> pa.Table:
    try:
        table = file.read_row_group(group, columns=columns)
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _damaged(path) from error
    return table


def _shards_of_group(shard_size: int) -> int:
    return max(_GROUP_ROWS // shard_size, 1)


def _damaged(path: Path) -> StoreError:
    return StoreError(f"the plan {path} is damaged or missing; build the store again")


class Plan(Generic[Item]):
    """Reads a plan one row group at a time; memory does not grow with the corpus.

    One open file: for one thread at a time.
    """

    def __init__(self, path: Path, cut: Cut, to_item: Callable[[Mapping[str, Any]], Item]) -> None:
        """Opens the plan; `to_item` turns a line of it, by column, into what `items` gives.

        A file that holds more lines than `cut` was extended since: it begins with the same ones.

        Raises:
            StoreError: it is missing or damaged.
        """
        self._path = path
        self._cut = cut
        self._to_item = to_item
        self._group = -1
        self._table: pa.Table | None = None
        self._file = _open_plan(path, cut)

    @property
    def shards(self) -> int:
        """How many shards the rows fill."""
        return self._cut.shards

    def items(self, shard: int) -> list[Item]:
        """The lines of one shard, in row order.

        Raises:
            StoreError: the plan is damaged.
        """
        segment, inner = self._cut.place(shard)
        shards = _shards_of_group(self._cut.shard_size)
        inner_group, offset = divmod(inner, shards)
        before = self._cut.segments[:segment]
        group = inner_group + sum(-(-self._cut.shards_of(inputs) // shards) for inputs in before)
        if group != self._group or self._table is None:
            self._table = _read_group(self._path, self._file, group)
            self._group = group
        rows = self._cut.rows_of(shard)
        lines = self._table.slice(offset * self._cut.shard_size, len(rows)).to_pylist()
        try:
            return [self._to_item(line) for line in lines]
        except (LookupError, TypeError) as error:
            raise StoreError(
                f"the plan {self._path} is damaged: it has other columns; build the store again"
            ) from error


def row_and_id(line: Mapping[str, Any]) -> tuple[int, str]:
    """The row and the image id of a line of any plan."""
    return line["row"], line["image_id"]


def pair_item(line: Mapping[str, Any]) -> PairItem:
    """A line of a plan of pairs as the pair that is to be made."""
    return PairItem(**line)


def source_item(line: Mapping[str, Any]) -> SourceItem:
    """A line of a plan of images as the input that is to be read."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in line.items()
    }
    return SourceItem(**values)
