"""The plan: every input's row and shard, fixed once and for good.

A pure function of the listing, the shard size and the limit. Row i of every array is row i here.
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

Item = TypeVar("Item")

_GROUP_ROWS: Final = 65_536


def number_rows(listing: pa.Table, shard_size: int, limit: int | None) -> pa.Table:
    """The first `limit` lines of a listing, with the columns `row` (int64) and `shard` (int32)."""
    table = listing if limit is None else listing.slice(0, limit)
    row = np.arange(table.num_rows, dtype=np.int64)
    shard = (row // shard_size).astype(np.int32)
    return table.add_column(0, "shard", pa.array(shard)).add_column(0, "row", pa.array(row))


def write_plan(plan: pa.Table, target: Any, shard_size: int) -> None:
    """Writes the plan as Parquet to an open binary stream; no shard straddles two row groups.

    Raises:
        OSError: the system refuses.
    """
    shards = max(_GROUP_ROWS // shard_size, 1)
    with checksummed_writer(target, plan.schema, compression="zstd") as writer:
        writer.write_table(plan, row_group_size=shards * shard_size)


class Plan(Generic[Item]):
    """Reads `plan.parquet` one row group at a time; memory does not grow with the corpus.

    One open file: for one thread at a time.
    """

    def __init__(
        self, path: Path, shard_size: int, to_item: Callable[[Mapping[str, Any]], Item]
    ) -> None:
        """Opens the plan; `to_item` turns a line of it, by column, into what `items` gives.

        Raises:
            StoreError: it is missing or damaged.
        """
        self._path = path
        self._shard_size = shard_size
        self._to_item = to_item
        self._group = -1
        self._table: pa.Table | None = None
        try:
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise StoreError(
                f"the plan {path} is damaged or missing; build the store again"
            ) from error
        self.rows = int(self._file.metadata.num_rows)

    @property
    def shards(self) -> int:
        """How many shards the rows fill, the last maybe in part."""
        return -(-self.rows // self._shard_size)

    def rows_of(self, shard: int) -> int:
        """How many rows a shard holds, 0 ≤ shard < shards."""
        return min(self._shard_size, self.rows - shard * self._shard_size)

    def items(self, shard: int) -> list[Item]:
        """The lines of one shard, in row order.

        Raises:
            StoreError: the plan is damaged.
        """
        first = shard * self._shard_size
        per_group = max(_GROUP_ROWS // self._shard_size, 1) * self._shard_size
        group, offset = divmod(first, per_group)
        if group != self._group or self._table is None:
            try:
                self._table = self._file.read_row_group(group)
                self._table.validate(full=True)
            except (OSError, pa.ArrowException, ValueError) as error:
                raise StoreError(
                    f"the plan {self._path} is damaged or missing; build the store again"
                ) from error
            self._group = group
        lines = self._table.slice(offset, self.rows_of(shard)).to_pylist()
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
    findings = line["findings"]
    return SourceItem(**{**line, "findings": None if findings is None else tuple(findings)})
