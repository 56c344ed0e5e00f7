"""The whole manifest: sorted, and honest about damage."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dfsynth.errors import StoreError
from dfsynth.manifest import IMAGES, encode_part, read_manifest, rows_of
from dfsynth.records import ManifestRow

MakeRow = Callable[..., ManifestRow]


def test_rows_come_back_sorted(
    write_manifest: Callable[..., Path], ok_row: MakeRow, failed_row: MakeRow
) -> None:
    rows = [ok_row(i) if i % 4 else failed_row(i) for i in range(10)]
    folder = write_manifest([*rows[5:], *rows[:5]], shard_size=3)
    table = read_manifest(folder)
    assert table.schema.equals(IMAGES.arrow, check_metadata=True)
    assert table["row"].to_pylist() == list(range(10))
    as_float32 = {"uncertainty": 0.05999999865889549, "lung_fraction": 0.4000000059604645}
    expected = replace(rows[5], scores={**rows[5].scores, **as_float32})
    assert rows_of(table)[4:6] == (rows[4], expected)


def test_a_folder_without_parts_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a part")
    assert read_manifest(tmp_path).equals(IMAGES.arrow.empty_table())


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no manifest at"):
        read_manifest(tmp_path / "absent")


@pytest.mark.parametrize("damaged", [0, 1, 2])
def test_the_damaged_part_is_named(
    damaged: int, write_manifest: Callable[..., Path], ok_row: MakeRow
) -> None:
    folder = write_manifest([ok_row(i) for i in range(12)])
    part = folder / f"part-{damaged:07d}.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    with pytest.raises(StoreError, match=part.name):
        read_manifest(folder)


def test_a_newer_version_is_refused(
    write_manifest: Callable[..., Path], ok_row: MakeRow, tmp_path: Path
) -> None:
    folder = write_manifest([ok_row(0)])
    part = folder / "part-0000000.parquet"
    newer = pq.read_table(part).replace_schema_metadata({"dfsynth.schema_version": "9"})
    pq.write_table(newer, part)
    with pytest.raises(StoreError, match="version 9"):
        read_manifest(folder)


def test_the_bytes_of_a_part_do_not_depend_on_the_folder(
    write_manifest: Callable[..., Path], ok_row: MakeRow
) -> None:
    folder = write_manifest([ok_row(0)])
    assert (folder / "part-0000000.parquet").read_bytes() == encode_part([ok_row(0)])


@pytest.mark.parametrize("change", ["dropped", "added", "renamed", "of another type"])
def test_a_part_with_other_columns_is_named_and_not_filled_with_nulls(
    write_manifest: Callable[..., Path], ok_row: MakeRow, change: str
) -> None:
    folder = write_manifest([ok_row(i) for i in range(12)])
    part = folder / "part-0000002.parquet"
    table = pq.read_table(part, partitioning=None)
    metadata = table.schema.metadata
    if change == "dropped":
        table = table.drop_columns(["uncertainty"])
    elif change == "added":
        table = table.append_column("notes", table["image_id"])
    elif change == "renamed":
        names = [{"uncertainty": "doubt"}.get(name, name) for name in table.column_names]
        table = table.rename_columns(names)
    else:
        at = table.schema.get_field_index("uncertainty")
        table = table.set_column(at, "uncertainty", table["uncertainty"].cast("float64"))
    pq.write_table(table.replace_schema_metadata(metadata), part)
    with pytest.raises(StoreError, match=r"part-0000002\.parquet has other columns"):
        read_manifest(folder)


def test_some_columns_come_with_their_rows(
    write_manifest: Callable[..., Path], ok_row: MakeRow
) -> None:
    folder = write_manifest([ok_row(i) for i in range(5)], shard_size=2)
    some = read_manifest(folder, columns=("status", "image_id", "no such column"))
    assert set(some.column_names) == {"image_id", "row", "status"}
    assert some.equals(read_manifest(folder).select(some.column_names))
