"""A build record whose entries are of other types than dfsynth writes is named as damaged."""

import json

import pytest
from radiograph_files import write_folder
from small_runs import run

from dfsynth.errors import StoreError
from dfsynth.store import StoreLayout
from dfsynth.store.record import read_record


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("store")
    run(str(write_folder(folder / "pictures", 2)), folder / "x.zarr")
    document: dict[str, object] = json.loads(StoreLayout(folder / "x.zarr").build.read_bytes())
    return document


@pytest.mark.parametrize(
    "changed",
    [
        {"rows": "11"},
        {"rows": 1.5},
        {"shards": None},
        {"window": 1},
        {"versions": [1]},
        {"fingerprint": []},
        {"fingerprint": {"size": [16]}},
        {"unknown": 1},
    ],
)
def test_an_odd_entry_is_damage(tmp_path, written, changed):
    entries = {key: value for key, value in written.items() if key != "checksum"}
    path = StoreLayout(tmp_path / "x.zarr").build
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(entries | changed))
    with pytest.raises(StoreError, match=r"build\.json is damaged; restore it"):
        read_record(path)


def test_an_entry_changed_by_hand_is_damage(tmp_path, written):
    path = StoreLayout(tmp_path / "x.zarr").build
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(written))
    assert read_record(path).rows == 2
    path.write_text(json.dumps(written | {"checkpoint_licence": "other"}))
    with pytest.raises(StoreError, match=r"build\.json is damaged"):
        read_record(path)
