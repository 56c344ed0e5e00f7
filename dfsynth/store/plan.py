"""The plan: every input's row and shard, fixed once and for good.

A pure function of the listing, the shard size and the limit. The line of row i of the arrays says
so in its column `row`: lines and rows differ where a store was extended (`dfsynth.store.cut`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.files.parquet_checksum import checksummed_writer
from dfsynth.records import PairItem, SourceItem
from dfsynth.store.cut import Cut

Item = TypeVar("Item")

_GROUP_ROWS: Final = 65_536


def number_rows(
    listing: pa.Table, shard_size: int, limit: int | None, first_shard: int = 0
) -> pa.Table:
    """The first `limit` lines of a listing, with the columns `row` (int64) and `shard` (int32).

    The first line is the first row of `first_shard`.
    """
    table = listing if limit is None else listing.slice(0, limit)
    first_row = first_shard * shard_size
    row = np.arange(first_row, first_row + table.num_rows, dtype=np.int64)
    shard = (row // shard_size).astype(np.int32)
    return table.add_column(0, "shard", pa.array(shard)).add_column(0, "row", pa.array(row))


def write_plan(plan: pa.Table, target: Any, cut: Cut) -> None:
    """Writes a plan as Parquet to an open binary stream; no shard straddles two row groups.

    Args:
        plan: One line for each input of `cut`, in order.
        target: A binary stream.
        cut: How they lie in shards; each planning begins a row group.

    Raises:
        OSError: the system refuses.
    """
    group_rows = _shards_of_group(cut.shard_size) * cut.shard_size
    first = 0
    with checksummed_writer(target, plan.schema, compression="zstd") as writer:
        for inputs in cut.segments:
            writer.write_table(plan.slice(first, inputs), row_group_size=group_rows)
            first += inputs


def read_plan(path: Path, cut: Cut) -> pa.Table:
    """The whole plan, as `write_plan` takes it.

    A file that holds more lines than `cut` was extended since: it begins with the same ones.

    Raises:
        StoreError: it is missing or damaged.
    """
    try:
        table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
        table.validate(full=True)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise _damaged(path) from error
    if table.num_rows < cut.inputs:
        raise _damaged(path)
    return table.slice(0, cut.inputs)


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
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise _damaged(path) from error
        if self._file.metadata.num_rows < cut.inputs:
            raise _damaged(path)

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
            try:
                self._table = self._file.read_row_group(group)
                self._table.validate(full=True)
            except (OSError, pa.ArrowException, ValueError) as error:
                raise _damaged(self._path) from error
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
