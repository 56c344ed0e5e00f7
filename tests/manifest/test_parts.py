"""Parts: what goes in comes out, all parts are one data set, damage is named."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import duckdb
import fastparquet
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.errors import StoreError
from dfsynth.manifest import COLUMNS, IMAGES, encode_part, read_part, rows_of
from dfsynth.records import ManifestRow
from dfsynth.score import NO_SCORES

MakeRow = Callable[..., ManifestRow]

_VALUES = {
    "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    "int16": st.integers(-(2**15), 2**15 - 1),
    "int32": st.integers(-(2**31), 2**31 - 1),
    "int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False),
    "list<string>": st.lists(st.text(max_size=8), max_size=3).map(tuple),
}
_RECORDS = st.builds(
    ManifestRow,
    scores=st.fixed_dictionaries({name: st.none() | _VALUES["float32"] for name in NO_SCORES}),
    **{
        column.name: st.none() | _VALUES[column.type] if column.nullable else _VALUES[column.type]
        for column in COLUMNS
        if column.name not in NO_SCORES
    },
)


@settings(deadline=None)
@given(rows=st.lists(_RECORDS, max_size=5))
def test_rows_come_back_as_they_went_in(
    rows: list[ManifestRow], tmp_path_factory: pytest.TempPathFactory
) -> None:
    part = tmp_path_factory.mktemp("parts") / "part-0000000.parquet"
    part.write_bytes(encode_part(rows))
    table = read_part(part)
    assert table.schema.equals(IMAGES.arrow, check_metadata=True)
    assert rows_of(table) == tuple(rows)


def test_equal_rows_give_equal_bytes(ok_row: MakeRow, failed_row: MakeRow) -> None:
    def rows() -> list[ManifestRow]:
        return [ok_row(0), failed_row(1), ok_row(2)]

    assert encode_part(rows()) == encode_part(rows())
    assert encode_part(rows()) != encode_part([ok_row(0), failed_row(1), ok_row(3)])


def test_numbers_of_numpy_are_numbers(ok_row: MakeRow) -> None:
    plain = ok_row(3, uncertainty=0.25)
    scalars = ok_row(np.int64(3), uncertainty=np.float32(0.25))
    assert encode_part([plain]) == encode_part([scalars])


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ({"width": 2**40}, "width"),
        ({"bits": "eight"}, "bits"),
        ({"uri": None}, "uri"),
        ({"findings": ("Mass", 3)}, "findings"),
        ({"uncertainty": "low"}, "uncertainty"),
    ],
)
def test_a_value_that_does_not_fit_is_named(
    values: dict[str, object], column: str, ok_row: MakeRow
) -> None:
    with pytest.raises(StoreError, match=f"row 7 .* column '{column}'"):
        encode_part([ok_row(6), ok_row(7, **values)])


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ({**NO_SCORES, "sharpness": 1.0}, r"unknown \['sharpness'\], missing \[\]"),
        ({}, r"unknown \[\], missing \['aleatoric_lung_mean'"),
    ],
)
def test_unknown_and_missing_scores_are_named(
    scores: dict[str, float], words: str, ok_row: MakeRow
) -> None:
    with pytest.raises(StoreError, match=f"scores of an image .* {words}"):
        encode_part([ok_row(0, scores=scores)])


def test_parts_of_nulls_and_of_values_have_one_schema(
    ok_row: MakeRow, failed_row: MakeRow, tmp_path: Path
) -> None:
    schemas = []
    for name, rows in (("full", [ok_row(0)]), ("null", [failed_row(1)]), ("empty", [])):
        part = tmp_path / name
        part.write_bytes(encode_part(rows))
        schemas.append(pq.read_schema(part))
    assert all(schema.equals(schemas[0], check_metadata=True) for schema in schemas)


@pytest.fixture
def mixed(
    write_manifest: Callable[..., Path], ok_row: MakeRow, failed_row: MakeRow
) -> tuple[Path, list[ManifestRow]]:
    """Three parts: one of failures alone, so that most of its columns hold nothing but nulls."""
    rows = [failed_row(i) for i in range(4)] + [ok_row(i) for i in range(4, 11)]
    rows[1] = dataclasses.replace(rows[1], findings=None)
    return write_manifest(rows), rows


def findings_of(rows: list[ManifestRow]) -> list[list[str] | None]:
    return [None if row.findings is None else list(row.findings) for row in rows]


def test_pyarrow_reads_the_folder(mixed: tuple[Path, list[ManifestRow]]) -> None:
    folder, rows = mixed
    table = ds.dataset(folder, format="parquet").to_table()
    assert table.column("row").to_pylist() == [row.row for row in rows]
    assert pq.read_table(folder).num_rows == len(rows)


def test_pandas_reads_the_folder(mixed: tuple[Path, list[ManifestRow]]) -> None:
    folder, rows = mixed
    frame = pandas.read_parquet(folder)
    assert list(frame.columns) == IMAGES.arrow.names
    assert [None if math.isnan(age) else age for age in frame["age"]] == [row.age for row in rows]


def test_polars_reads_the_folder(mixed: tuple[Path, list[ManifestRow]]) -> None:
    folder, rows = mixed
    frame = polars.read_parquet(folder)
    assert frame["findings"].to_list() == findings_of(rows)
    lazy = polars.scan_parquet(folder / "*.parquet").filter(polars.col("status") == "failed")
    assert lazy.collect().height == 4


def test_duckdb_reads_the_folder(mixed: tuple[Path, list[ManifestRow]]) -> None:
    folder, rows = mixed
    with duckdb.connect(":memory:") as connection:
        found = connection.execute(
            "SELECT count(*), count(uncertainty), min(length(findings)) FROM read_parquet(?)",
            [f"{folder}/*.parquet"],
        ).fetchone()
    assert found == (len(rows), 7, 1)


def test_fastparquet_reads_lists(mixed: tuple[Path, list[ManifestRow]]) -> None:
    """Without a dictionary it gives null for each of them."""
    folder, rows = mixed
    found = []
    for part in sorted(folder.iterdir()):
        with part.open("rb") as stream:
            found += list(fastparquet.ParquetFile(stream).to_pandas()["findings"])
    assert found == findings_of(rows)


def test_a_damaged_part_is_named(ok_row: MakeRow, tmp_path: Path) -> None:
    part = tmp_path / "part-0000003.parquet"
    whole = encode_part([ok_row(0)])
    for damaged in (b"", whole[: len(whole) // 2], b"PAR1" + whole[4:-8] + b"\xff" * 8):
        part.write_bytes(damaged)
        with pytest.raises(StoreError, match=r"part-0000003\.parquet cannot be read"):
            read_part(part)
    part.unlink()
    with pytest.raises(StoreError, match="is missing"):
        read_part(part)


def test_another_version_or_other_columns_are_refused(ok_row: MakeRow, tmp_path: Path) -> None:
    part = tmp_path / "part-0000000.parquet"
    part.write_bytes(encode_part([ok_row(0)]))
    table = pq.read_table(part)
    pq.write_table(table.replace_schema_metadata({"dfsynth.schema_version": "9"}), part)
    with pytest.raises(
        StoreError, match="schema version 9; this dfsynth reads version 1 or 2 or 3"
    ):
        read_part(part)
    pq.write_table(pa.table({"row": [1]}), part)
    with pytest.raises(StoreError, match="schema version none"):
        read_part(part)
    pq.write_table(table.drop_columns(["seconds"]), part)
    with pytest.raises(StoreError, match="other columns"):
        read_part(part)


def test_the_encoder_keeps_the_order_of_the_rows(ok_row: MakeRow, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(encode_part([ok_row(2), ok_row(0), ok_row(1)]))
    assert read_part(part)["row"].to_pylist() == [2, 0, 1]
    assert [dataclasses.replace(row).row for row in rows_of(read_part(part))] == [2, 0, 1]
