"""Choosing rows: shares, ties, nulls, failures, images without lung; counts by finding."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.errors import StoreError, UsageError
from dfsynth.manifest import (
    FindingCount,
    MissingColumnError,
    count_findings,
    encode_part,
    select,
)
from dfsynth.manifest.schema import IMAGES
from dfsynth.records import ManifestRow
from dfsynth.score import NO_SCORES

MakeRow = Callable[..., ManifestRow]
WriteManifest = Callable[..., Path]


@pytest.fixture
def folder(write_manifest: WriteManifest, ok_row: MakeRow, failed_row: MakeRow) -> Path:
    """Ten rows: 3 failed; 4 without lung; uncertainty 0.01 × (row + 1), null in 4 and 6."""
    rows = [ok_row(i) for i in range(10)]
    rows[3] = failed_row(3)
    rows[4] = ok_row(4, uncertainty=None, flags=("clipped", "no_lung"))
    rows[6] = ok_row(6, uncertainty=None, findings=None)
    return write_manifest(rows)


def _rows(folder: Path, **options: Any) -> list[int]:
    arguments = {"where": None, "keep": None, "by": None} | options
    return [line["row"] for line in select(folder, **arguments).table.to_pylist()]


def test_failed_rows_and_rows_without_lung_never_pass(folder: Path) -> None:
    assert _rows(folder) == [0, 1, 2, 5, 6, 7, 8, 9]
    assert _rows(folder, where="true") == [0, 1, 2, 5, 6, 7, 8, 9]
    assert _rows(folder, where="status = 'failed'") == []
    assert _rows(folder, include_no_lung=True) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert _rows(folder, where="uncertainty IS NULL", include_no_lung=True) == [4, 6]


def test_totals_count_what_was_built(folder: Path) -> None:
    selection = select(folder, "row < 3", None, None)
    assert (selection.kept, selection.total, selection.no_lung) == (3, 9, 1)
    assert select(folder, None, None, None, include_no_lung=True).no_lung == 0


def test_the_lowest_share_passes_and_nulls_never_do(folder: Path) -> None:
    assert _rows(folder, keep=1, by="uncertainty") == [0, 1, 2, 5, 7, 8, 9]
    assert _rows(folder, keep=0.5, by="uncertainty") == [0, 1, 2, 5]
    assert _rows(folder, keep=0.001, by="uncertainty") == [0]
    assert _rows(folder, keep=1, by="age", where="row > 5") == [6, 7, 8, 9]


def test_the_predicate_comes_before_the_share(folder: Path) -> None:
    assert _rows(folder, where="row >= 5", keep=0.5, by="uncertainty") == [5, 7]


def test_equal_numbers_pass_by_row(write_manifest: WriteManifest, ok_row: MakeRow) -> None:
    rows = [ok_row(i, uncertainty=0.1 if i != 8 else 0.05) for i in reversed(range(9))]
    assert _rows(write_manifest(rows), keep=0.4, by="uncertainty") == [0, 1, 2, 8]


def test_nan_is_no_number(write_manifest: WriteManifest, ok_row: MakeRow) -> None:
    rows = [ok_row(i, uncertainty=math.nan if i < 3 else 0.1) for i in range(5)]
    assert _rows(write_manifest(rows), keep=1.0, by="uncertainty") == [3, 4]


@settings(deadline=None)
@given(
    values=st.lists(
        st.none() | st.sampled_from([0.5, 0.25, 0.75, 1.5]), min_size=1, max_size=30
    ).filter(any),
    hundredths=st.integers(1, 100),
)
def test_the_share_is_exact(
    values: list[float | None], hundredths: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("manifest")
    rows = [
        ManifestRow(f"{i}", i, 0, "ok", "s", f"{i}", {**NO_SCORES, "uncertainty": value})
        for i, value in enumerate(values)
    ]
    (folder / "part-0000000.parquet").write_bytes(encode_part(rows))
    known = sorted((value, i) for i, value in enumerate(values) if value is not None)
    count = -(-hundredths * len(known) // 100)
    expected = sorted(i for _, i in known[:count])
    assert _rows(folder, keep=hundredths / 100, by="uncertainty") == expected


def test_a_share_is_taken_as_written(write_manifest: WriteManifest, ok_row: MakeRow) -> None:
    """The float nearest to 0.1 is above a tenth, and would keep two rows of ten."""
    folder = write_manifest([ok_row(i) for i in range(10)])
    assert _rows(folder, keep=0.1, by="uncertainty") == [0]
    assert len(_rows(folder, keep=0.7, by="uncertainty")) == 7


@pytest.mark.parametrize("keep", [0.0, -0.1, 1.1, 80.0, math.nan, math.inf])
def test_a_share_out_of_range_is_refused(keep: float, folder: Path) -> None:
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        select(folder, None, keep, "uncertainty")


def test_a_column_without_a_share_or_a_limit_without_a_column_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="found by without keep"):
        select(folder, None, None, "uncertainty")
    with pytest.raises(UsageError, match="found at_most without by"):
        select(folder, None, None, None, at_most=0.5)


def test_a_share_alone_is_by_uncertainty_in_a_store_without_predicted_errors(folder: Path) -> None:
    assert select(folder, None, 0.5, None).by == "uncertainty"
    assert _rows(folder, keep=0.5) == _rows(folder, keep=0.5, by="uncertainty")
    assert select(folder, "row < 3", None, None).by is None


def test_a_share_alone_is_by_the_predicted_error_where_any_image_has_one(
    write_manifest: WriteManifest, ok_row: MakeRow, failed_row: MakeRow
) -> None:
    """Whatever the predicate leaves of them."""
    rows = [ok_row(i) for i in range(6)]
    learned = [
        replace(row, scores={**row.scores, "predicted_error": 1 - row.row / 10}) for row in rows
    ]
    learned[2] = failed_row(2)
    learned[3] = rows[3]
    filled = write_manifest(learned)
    assert select(filled, None, 0.5, None).by == "predicted_error"
    assert _rows(filled, keep=0.5) == [4, 5]
    assert _rows(filled, keep=0.5, by="uncertainty") == [0, 1, 3]
    assert select(filled, "row < 3", 0.5, None).by == "predicted_error"
    # That is no reason to build the store anew with another checkpoint.
    with pytest.raises(MissingColumnError, match="'predicted_error' is null throughout 1 image to"):
        select(filled, "row = 3", 0.5, None)


def test_a_column_to_keep_by_must_be_known_and_numeric(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean uncertainty\b"):
        select(folder, None, 0.5, "Uncertanty")
    for column in ("view", "findings"):
        with pytest.raises(UsageError, match="column of numbers"):
            select(folder, None, 0.5, column)


def test_a_column_without_a_number_chooses_nothing(
    write_manifest: WriteManifest, ok_row: MakeRow
) -> None:
    """Rather than keep no image without a word."""
    folder = write_manifest([ok_row(i, uncertainty=None) for i in range(5)])
    for limit in ({"keep": 0.5}, {"at_most": 1.0}):
        with pytest.raises(MissingColumnError, match="'uncertainty' is null throughout 5 images"):
            _rows(folder, by="uncertainty", **limit)
        with pytest.raises(MissingColumnError, match="'ood_score' is null for every image"):
            _rows(folder, by="ood_score", **limit)
    assert _rows(folder, by="ood_score", keep=0.5, where="false") == []


def test_what_is_no_larger_passes_and_nulls_never_do(folder: Path) -> None:
    assert _rows(folder, at_most=float(np.float32(0.06)), by="uncertainty") == [0, 1, 2, 5]
    assert _rows(folder, at_most=0.001, by="uncertainty") == []
    assert _rows(folder, at_most=math.inf, by="uncertainty", where="row > 2") == [5, 7, 8, 9]
    assert _rows(folder, at_most=35.0, by="age", include_no_lung=True) == [0, 1, 2, 4, 5]


def test_bad_sql_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="not one SQL condition"):
        select(folder, "uncertainty <", None, None)


def test_no_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no manifest"):
        select(tmp_path / "none", None, None, None)


def test_an_empty_manifest_selects_nothing(tmp_path: Path) -> None:
    selection = select(tmp_path, "age > 3", 0.5, "age")
    assert (selection.kept, selection.total, selection.findings) == (0, 0, ())


def test_findings_are_counted_over_ok_rows(folder: Path) -> None:
    assert select(folder, "row < 6", None, None).findings == (
        FindingCount("No Finding", kept=3, total=6),
        FindingCount("Effusion", kept=1, total=2),
        FindingCount("Mass", kept=1, total=2),
        FindingCount("(unknown)", kept=0, total=1),
    )


def test_findings_count_rows_not_labels() -> None:
    lists = [["Mass", "Mass", "Nodule"], None, [], ["Nodule"], None, [None]]
    table = pa.table({"findings": pa.array(lists, pa.list_(pa.string()))})
    assert count_findings(table, table.slice(2)) == (
        FindingCount("(unknown)", kept=2, total=3),
        FindingCount("Nodule", kept=1, total=2),
        FindingCount("(none)", kept=1, total=1),
        FindingCount("Mass", kept=0, total=1),
    )


@pytest.mark.parametrize(
    ("where", "keep", "by", "read"),
    [
        (None, None, None, set()),
        (None, 0.5, None, set()),
        (None, 0.5, "age", {"age"}),
        (
            "AGE < 35 AND \"view\" IN ('PA') -- width",
            0.5,
            "lung_fraction",
            {"age", "view", "lung_fraction"},
        ),
        ("list_contains(findings, 'Mass') AND bits IS NOT NULL", None, None, {"bits"}),
    ],
)
def test_a_count_reads_what_decides_and_counts_the_same(folder, where, keep, by, read) -> None:
    whole = select(folder, where, keep, by, expected=IMAGES)

    counted = select(folder, where, keep, by, expected=IMAGES, counted_only=True)

    always = {"row", "status", "flags", "findings", "uncertainty", "predicted_error"}
    assert set(counted.table.column_names) == always | read
    assert counted.table.equals(whole.table.select(counted.table.column_names))
    assert replace(counted, table=whole.table) == whole


@pytest.mark.parametrize(("where", "by"), [("widht > 3", None), (None, "heigth")])
def test_a_count_by_an_unknown_column_hints_at_all_columns(folder, where, by) -> None:
    said = []
    for counted_only in (False, True):
        with pytest.raises(UsageError) as caught:
            select(folder, where, 0.5, by, expected=IMAGES, counted_only=counted_only)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "did you mean" in said[0]


def test_findings_without_a_name_are_one_finding_however_they_are_written() -> None:
    lists = [[None], [""], [None, ""], ["", "Mass"], None]
    table = pa.table({"findings": pa.array(lists, pa.list_(pa.string()))})
    assert count_findings(table, table.slice(1, 2)) == (
        FindingCount("(unknown)", kept=2, total=5),
        FindingCount("Mass", kept=0, total=1),
    )


def test_counts_of_kept_rows_survive_slicing(folder: Path) -> None:
    everything = select(folder, None, None, None, include_no_lung=True)
    assert all(count.kept == count.total for count in everything.findings)
