"""Versions of the schema of images: each goes on as it was, and is read as the newest."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dfsynth.errors import StoreError, UsageError
from dfsynth.manifest import (
    IMAGE_SCHEMAS,
    IMAGES,
    SCHEMA_VERSION,
    ManifestSchema,
    encode_part,
    read_manifest,
    read_part,
    rows_of,
    select,
)
from dfsynth.records import ManifestRow
from dfsynth.score import LEARNED_SCORES

MakeRow = Callable[..., ManifestRow]

PUBLISHED = Path(__file__).parents[2] / "manifests"
SECOND = [name for name in LEARNED_SCORES if name != "ood_score"]
"""Columns that came with version 2."""
THIRD = ["findings_negative", "findings_uncertain"]
"""Columns that came with version 3."""
LATER = [*SECOND, *THIRD]


@pytest.fixture
def rows(ok_row: MakeRow, failed_row: MakeRow) -> list[ManifestRow]:
    """Numbers that float32 holds as they are."""
    scores = dict.fromkeys((*LEARNED_SCORES, "uncertainty", "lung_fraction"), 0.25)
    return [ok_row(0, **scores), failed_row(1), ok_row(2, **scores)]


@pytest.fixture
def old(rows: list[ManifestRow], tmp_path: Path) -> Path:
    """A manifest of version 1."""
    return manifest(tmp_path / "old", rows, IMAGE_SCHEMAS[1])


def manifest(folder: Path, rows: list[ManifestRow], schema: ManifestSchema = IMAGES) -> Path:
    folder.mkdir()
    (folder / "part-0000000.parquet").write_bytes(encode_part(rows, schema))
    return folder


@pytest.mark.parametrize("version", IMAGE_SCHEMAS)
def test_a_version_is_what_was_published(version: int) -> None:
    """Words may get clearer; names, order, types and units are for good."""
    published = json.loads((PUBLISHED / f"schema-v{version}.json").read_text(encoding="utf-8"))
    found = json.loads(IMAGE_SCHEMAS[version].to_json())
    for document in (published, found):
        for column in document["columns"]:
            del column["description"]
    assert found == published


def test_the_newest_version_is_that_of_new_stores() -> None:
    assert IMAGES.version == SCHEMA_VERSION == max(IMAGE_SCHEMAS)


def test_columns_come_and_never_go() -> None:
    one, two, three = (schema.arrow.names for schema in IMAGE_SCHEMAS.values())
    assert [name for name in two if name not in SECOND] == one
    assert [name for name in three if name not in THIRD] == two


def test_a_part_of_an_old_store_has_the_columns_of_its_version(old: Path) -> None:
    schema = pq.read_schema(old / "part-0000000.parquet")
    assert schema.names == IMAGE_SCHEMAS[1].arrow.names
    assert schema.metadata == {b"dfsynth.schema_version": b"1"}


def test_what_came_later_reads_as_null(old: Path, rows: list[ManifestRow]) -> None:
    for table in (read_manifest(old), read_part(old / "part-0000000.parquet", IMAGE_SCHEMAS[1])):
        assert table.schema.equals(IMAGES.arrow, check_metadata=True)
        assert all(table[name].null_count == table.num_rows for name in LATER)
        expected = [replace(row, scores={**row.scores, **dict.fromkeys(SECOND)}) for row in rows]
        assert rows_of(table) == tuple(expected)


def test_a_part_goes_through_records_and_back_unchanged(old: Path) -> None:
    part = old / "part-0000000.parquet"
    assert encode_part(rows_of(read_part(part)), IMAGE_SCHEMAS[1]) == part.read_bytes()


def test_a_store_holds_parts_of_its_own_version_only(old: Path, tmp_path: Path) -> None:
    part = old / "part-0000000.parquet"
    with pytest.raises(StoreError, match="has schema version 1; its store has version 3"):
        read_part(part, IMAGES)
    part.write_bytes(encode_part([]))
    with pytest.raises(StoreError, match="has schema version 3; its store has version 1"):
        read_manifest(old, IMAGE_SCHEMAS[1])


def test_an_empty_old_manifest_has_the_newest_columns(tmp_path: Path) -> None:
    assert read_manifest(tmp_path, IMAGE_SCHEMAS[1]).equals(IMAGES.arrow.empty_table())


@pytest.mark.parametrize(
    ("where", "keep", "by"),
    [
        ("predicted_error < 0.3", None, None),
        ("NOT (row > 1 AND \"Predicted_Error\" < 0.3) AND view = 'PA'", None, None),
        (None, 0.7, "predicted_error"),
    ],
)
def test_a_filter_by_a_column_that_came_later_says_so(
    old: Path, where: str | None, keep: float | None, by: str | None
) -> None:
    with pytest.raises(UsageError) as refusal:
        select(old, where, keep, by, expected=IMAGE_SCHEMAS[1])
    line = str(refusal.value)
    assert "'predicted_error' is null for every image" in line
    assert "of schema version 1, made before there was that column" in line
    assert "build a new store with one of them, or go by another column" in line
    assert "\n" not in line


def test_a_filter_by_what_no_head_said_names_the_reason(tmp_path: Path, ok_row: MakeRow) -> None:
    folder = manifest(tmp_path / "new", [ok_row(0), ok_row(1)])
    for where, keep, by in (("ood_score > 2", None, None), (None, 0.5, "ood_score")):
        with pytest.raises(UsageError, match="the checkpoint that made the store has no heads"):
            select(folder, where, keep, by, expected=IMAGES)


@pytest.mark.parametrize(
    "where",
    [
        "predicted_error IS NULL AND row = 2",
        "coalesce(predicted_error, 0) < 0.3 AND row = 2",
        "predicted_error < 0.3 OR row = 2",
    ],
)
def test_a_predicate_that_is_true_of_nulls_passes(old: Path, where: str) -> None:
    assert select(old, where, None, None).table["row"].to_pylist() == [2]


def test_no_row_may_pass_where_scores_are_known(tmp_path: Path, rows: list[ManifestRow]) -> None:
    folder = manifest(tmp_path / "new", rows)
    assert select(folder, "predicted_error < 0.1", None, None).kept == 0
    assert select(folder, None, 0.5, "predicted_error").kept == 1


def test_nothing_is_refused_where_there_is_nothing(tmp_path: Path, rows: list[ManifestRow]) -> None:
    folder = manifest(tmp_path / "new", [replace(rows[1], row=0)])
    assert select(folder, "predicted_error < 0.1", 0.5, "ood_score").kept == 0


def test_null_columns_have_their_type(old: Path) -> None:
    found = read_manifest(old).schema
    assert {found.field(name).type for name in SECOND} == {pa.float32()}
    lists = pa.list_(pa.field("element", pa.string()))
    assert {found.field(name).type for name in THIRD} == {lists}
