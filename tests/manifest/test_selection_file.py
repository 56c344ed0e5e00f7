"""A selection on disk: readable, described, whole or absent."""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars
import pyarrow.parquet as pq
import pytest

from dfsynth.errors import StoreError
from dfsynth.manifest import IMAGES, PROVENANCE_KEY, Selection, select, write_selection
from dfsynth.manifest.selection_file import WRITERS
from dfsynth.options import SELECTION_SUFFIXES
from dfsynth.records import ManifestRow

PROVENANCE = {"checkpoint": "default", "sentence": "Synthetic – not for diagnosis."}


@pytest.fixture
def selection(write_manifest: Callable[..., Path], ok_row: Callable[..., ManifestRow]) -> Selection:
    return select(write_manifest([ok_row(i) for i in range(6)]), "row < 4", None, None)


def test_rows_schema_and_provenance_are_written(selection: Selection, tmp_path: Path) -> None:
    out = tmp_path / "kept.parquet"
    write_selection(out, selection, PROVENANCE)
    table = pq.read_table(out)
    assert table.equals(selection.table)
    assert json.loads(table.schema.metadata[PROVENANCE_KEY]) == PROVENANCE
    assert table.schema.metadata[b"dfsynth.schema_version"] == b"3"
    assert table.schema.field("uncertainty").metadata == IMAGES.arrow.field("uncertainty").metadata


def test_an_existing_file_is_replaced_and_nothing_is_left(
    selection: Selection, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "kept.parquet"
    out.write_bytes(b"old")
    write_selection(out, selection, {})
    assert pq.read_metadata(out).num_rows == 4
    assert [entry.name for entry in folder.iterdir()] == ["kept.parquet"]
    assert out.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    held = os.umask(0)
    os.umask(held)
    return held


def test_a_table_of_text_is_read_by_others(selection: Selection, tmp_path: Path) -> None:
    out = tmp_path / "kept.CSV"
    write_selection(out, selection, PROVENANCE)
    table = polars.read_csv(out)
    assert list(table.columns) == IMAGES.arrow.names
    assert table["row"].to_list() == [0, 1, 2, 3]
    assert table["findings"].to_list() == [
        "Effusion|Mass",
        "No Finding",
        "No Finding",
        "Effusion|Mass",
    ]
    assert table["uncertainty"].to_list() == pytest.approx([0.01, 0.02, 0.03, 0.04])
    assert table["predicted_error"].null_count() == 4


def test_json_holds_rows_and_provenance(selection: Selection, tmp_path: Path) -> None:
    out = tmp_path / "kept.json"
    provenance = {name: json.dumps(value) for name, value in PROVENANCE.items()}
    write_selection(out, selection, provenance)
    held = json.loads(out.read_bytes())
    assert held["provenance"] == PROVENANCE
    assert held["rows"] == selection.table.to_pylist()


def test_json_of_no_row_is_json(selection: Selection, tmp_path: Path) -> None:
    empty = replace(selection, table=selection.table.slice(0, 0))
    write_selection(tmp_path / "none.json", empty, {})
    assert json.loads((tmp_path / "none.json").read_bytes()) == {"provenance": {}, "rows": []}


def test_every_ending_that_the_options_take_has_a_writer() -> None:
    assert set(WRITERS) == set(SELECTION_SUFFIXES)


def test_a_full_disk_leaves_what_was_there(
    selection: Selection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "kept.parquet"
    out.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        write_selection(out, selection, {})
    assert out.read_bytes() == b"old"
    assert not list(tmp_path.glob(".*.tmp"))
