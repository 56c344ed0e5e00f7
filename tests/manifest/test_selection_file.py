"""A selection on disk: readable, described, whole or absent."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dfsynth.errors import StoreError, UsageError
from dfsynth.manifest import IMAGES, PROVENANCE_KEY, Selection, select, write_selection
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


def test_a_folder_or_a_missing_one_is_refused(selection: Selection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a folder"):
        write_selection(tmp_path, selection, {})
    with pytest.raises(UsageError, match="does not exist"):
        write_selection(tmp_path / "absent" / "kept.parquet", selection, {})


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
