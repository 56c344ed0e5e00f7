"""Planning takes little memory for each row, however long the table."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from toy_generator import ToyMaker
from traced_memory import all_peak_bytes

from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.extension import extend_store
from dfsynth.jobs.planning import plan_or_resume
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.source import open_source
from dfsynth.source.schema import CHUNK_ROWS
from dfsynth.store import StoreLayout
from dfsynth.store.cut import Cut
from dfsynth.store.plan import read_plan, write_plan
from dfsynth.store.record import read_record

FEW, MANY = 10_000, 60_000
MOST_BYTES_A_ROW = 40
"""Hashes of the ids, compressed rows in memory, and room for noise; a row has 150 as it is."""


def write_table(folder: Path, rows: int, kind: str = "parquet") -> Path:
    """A table of images, one of which is there."""
    numbers = range(rows)
    table = pa.table(
        {
            "path": [f"images/p{n // 4000:05d}/{n * 7919:012d}.png" for n in numbers],
            "patient_id": [f"patient{n // 3:08d}" for n in numbers],
            "findings": [("", "effusion", "effusion|nodule")[n % 3] for n in numbers],
        }
    )
    path = folder / f"{rows}.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=4096)
    else:
        pyarrow.csv.write_csv(table, path)
    there = folder / str(table["path"][0])
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_bytes(b"0")
    return path


def job_of(table: Path, out: Path, extend: bool = False) -> BuildJob:
    options = BuildOptions.of(
        source=table, root=table.parent, out=out, shard_size=256, extend=extend
    )
    return BuildJob(options, open_source(options.source, options.root), ToyMaker())


def plan(table: Path, out: Path) -> None:
    with plan_or_resume(job_of(table, out), StoreLayout(out), Silent()):
        pass


def extend(table: Path, out: Path) -> list[str]:
    told = Told()
    extend_store(job_of(table, out, extend=True), StoreLayout(out), told)
    return list(told.messages)


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    """So that few rows are many chunks, of which one at a time is to be in memory."""
    monkeypatch.setattr("dfsynth.source.metadata.CHUNK_ROWS", 4096)
    monkeypatch.setattr("dfsynth.store.plan._GROUP_ROWS", 4096)
    monkeypatch.setattr("dfsynth.files.row_spool._MEMORY_BYTES", 100_000)


@pytest.mark.usefixtures("small_chunks")
def test_memory_of_planning_is_bounded_for_each_row(tmp_path) -> None:
    peaks = {}
    for rows in (FEW, MANY):
        table, out = write_table(tmp_path, rows), tmp_path / f"{rows}.zarr"
        peaks[rows] = all_peak_bytes(partial(plan, table, out))
    assert (peaks[MANY] - peaks[FEW]) / (MANY - FEW) < MOST_BYTES_A_ROW


def test_equal_rows_give_an_equal_plan_whatever_their_chunks(tmp_path) -> None:
    plans = []
    for kind in ("parquet", "csv"):
        plan(write_table(tmp_path, CHUNK_ROWS + 5, kind), tmp_path / f"{kind}.zarr")
        plans.append(StoreLayout(tmp_path / f"{kind}.zarr").plan.read_bytes())
    assert plans[0] == plans[1]


@pytest.mark.parametrize("segments", [(7,), (5, 1), (1, 300, 44)])
@pytest.mark.parametrize("chunk_rows", [1, 4, 1000])
def test_a_plan_comes_back_in_row_groups_of_whole_shards(tmp_path, segments, chunk_rows) -> None:
    cut = Cut(2, segments)
    lines = pa.table({"row": range(cut.inputs)})
    path = tmp_path / "plan.pq"
    with path.open("x+b") as stream:
        write_plan(lines.to_batches(chunk_rows), stream, cut)
    assert pa.Table.from_batches(read_plan(path, cut)).equals(lines)
    assert [pq.read_metadata(path).row_group(n).num_rows for n in range(len(segments))] == [
        *segments
    ]
    # Of a plan that was extended meanwhile, the lines that were there before.
    before = Cut(2, segments[:1])
    assert pa.Table.from_batches(read_plan(path, before)).num_rows == before.inputs


@pytest.mark.usefixtures("small_chunks")
def test_memory_of_an_extension_is_bounded_for_each_row(tmp_path) -> None:
    peaks = {}
    for rows in (FEW, MANY):
        out, table = tmp_path / f"{rows}.zarr", write_table(tmp_path, rows)
        plan(table, out)
        write_table(tmp_path, rows + 10).rename(table)
        peaks[rows] = all_peak_bytes(partial(extend, table, out))
        assert read_record(StoreLayout(out).build).cut.segments == (rows, 10)
        assert extend(table, out) == ["no inputs appeared since the store was planned"]
    assert (peaks[MANY] - peaks[FEW]) / (MANY - FEW) < MOST_BYTES_A_ROW
