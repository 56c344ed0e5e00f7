import errno
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dfsynth.errors import StoreError
from dfsynth.files import row_spool
from dfsynth.files.row_spool import RowSpool

FIELDS: "list[pa.Field[Any]]" = [
    pa.field("name", pa.string(), nullable=False),
    pa.field("row", pa.int64()),
]
SCHEMA = pa.schema(FIELDS)


def batch(start: int, rows: int) -> pa.RecordBatch:
    numbers = list(range(start, start + rows))
    names = [f"{number:05d}.png" for number in numbers]
    return pa.RecordBatch.from_arrays([pa.array(names), pa.array(numbers)], schema=SCHEMA)


@pytest.fixture(params=[0, 1500, 64 * 1024**2], ids=["on disk", "on both", "in memory"])
def spool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RowSpool:
    monkeypatch.setattr(row_spool, "_MEMORY_BYTES", request.param)
    made = RowSpool(SCHEMA)
    for start, rows in ((0, 100), (100, 0), (100, 1), (101, 500)):
        made.append(batch(start, rows))
    return made


def test_rows_come_back_as_often_as_wanted(spool: RowSpool) -> None:
    assert spool.num_rows == 601
    for _ in range(2):
        assert [len(found) for found in spool.batches()] == [100, 1, 500]
        assert spool.table() == pa.Table.from_batches([batch(0, 601)])
    assert spool.table().schema == SCHEMA


def test_columns_come_in_the_order_asked_for(spool: RowSpool) -> None:
    (_, _, last) = spool.batches(["row", "name"])
    assert last.schema.names == ["row", "name"]
    assert last.slice(0, 1).to_pylist() == [{"row": 101, "name": "00101.png"}]
    column = spool.column("row")
    assert [len(values) for values in column] == [len(values) for values in column] == [100, 1, 500]
    assert column.null_count == 0


def test_some_rows_are_taken_by_number(spool: RowSpool) -> None:
    rows = np.array([0, 99, 100, 101, 600])
    assert spool.take(rows, ["row"])["row"].to_pylist() == rows.tolist()
    assert spool.take(np.empty(0, np.int64), ["name"]).schema.names == ["name"]


def test_threads_read_at_once(spool: RowSpool) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: spool.table(), range(20)))
    assert all(table == found[0] for table in found)


def test_rows_of_a_table_keep_its_schema() -> None:
    table = pa.Table.from_batches([batch(0, 3), batch(3, 2)])
    assert RowSpool.of(table).table() == table
    assert RowSpool.of(table.slice(0, 0)).table().schema == SCHEMA


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(row_spool, "_MEMORY_BYTES", 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(StoreError, match=r"TMPDIR.*: the disk is full \(ENOSPC\); free space"):
        RowSpool(SCHEMA).append(batch(0, 1))
