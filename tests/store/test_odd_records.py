"""A build record whose entries are of other types than dfsynth writes is named as damaged."""

import json
from pathlib import Path
from typing import Any

import pytest
from radiograph_files import write_folder
from small_runs import run

from dfsynth.errors import StoreError
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("store")
    run(str(write_folder(folder / "pictures", 2)), folder / "x.zarr")
    document: dict[str, Any] = json.loads(StoreLayout(folder / "x.zarr").build.read_bytes())
    return document


def record_file(folder: Path, written: dict[str, Any], changes: dict[str, object]) -> Path:
    """A build record with other entries, as by hand: without its checksum."""
    entries = {key: value for key, value in written.items() if key != "checksum"}
    path = StoreLayout(folder / "x.zarr").build
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(entries | changes))
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": "11"},
        {"rows": 1.5},
        {"shards": None},
        {"shards": 2},
        {"segments": [[[]]]},
        {"segments": "/etc/x"},
        {"segments": [2.0]},
        {"segments": [1]},
        {"unit": 7},
        {"unit": {"1": "m"}},
        {"window": 1},
        {"intensity": 1},
        {"intensity": [99.5, 0.5]},
        {"intensity": {"low": 0.0, "high": 1.0}},
        {"intensity": {"low": 1.0, "high": 0.0, "unit": "1/m"}},
        {"versions": [1]},
        {"fingerprint": []},
        {"fingerprint": {"size": [16]}},
        {"own_task": 7},
        {"own_task": None},
        {"own_task": ["name"]},
        {"own_task": {"name": "x"}},
        {"unknown": 1},
    ],
)
def test_an_odd_entry_is_damage(tmp_path, written, changed):
    with pytest.raises(StoreError, match=r"build\.json is damaged; restore it"):
        read_record(record_file(tmp_path, written, changed))


def test_a_version_of_another_type_is_named_in_one_line(tmp_path, written):
    path = record_file(tmp_path, written, {"schema_version": "a\nb"})
    with pytest.raises(StoreError, match=r"has schema version 'a\\nb'; this version") as caught:
        read_record(path)
    assert len(str(caught.value).splitlines()) == 1


def test_shards_of_no_rows_are_damage(tmp_path, written):
    fingerprint = written["fingerprint"] | {"maps": [], "shard_size": 0}
    with pytest.raises(StoreError, match=r"build\.json is damaged; restore it"):
        read_record(record_file(tmp_path, written, {"fingerprint": fingerprint}))


def test_an_entry_changed_by_hand_is_damage(tmp_path, written):
    path = StoreLayout(tmp_path / "x.zarr").build
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(written))
    assert read_record(path).rows == 2
    path.write_text(json.dumps(written | {"checkpoint_licence": "other"}))
    with pytest.raises(StoreError, match=r"build\.json is damaged"):
        read_record(path)
