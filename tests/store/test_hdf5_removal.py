"""Overwriting clears our HDF5 stores, file and folder, and nothing else."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from dfsynth.errors import ConflictError
from dfsynth.store import (
    ArraySpec,
    RootState,
    StoreLayout,
    clear_store,
    examine_root,
    missing_files,
    remove_shard,
)
from dfsynth.store.hdf5.format import HDF5
from dfsynth.store.hdf5.paths import part_path

SPEC = ArraySpec("dark_field", "float32", 3, 4, 5, 2)


@pytest.fixture
def layout(tmp_path) -> StoreLayout:
    return StoreLayout(tmp_path / "x.h5")


@pytest.fixture
def built(layout) -> StoreLayout:
    HDF5.write_group(layout, [SPEC], {})
    for shard in range(2):
        with HDF5.shard_writer(layout, [SPEC], shard) as writer:
            for index in range(SPEC.rows_of(shard)):
                writer.skip(index)
            writer.commit()
        layout.part(shard).touch()
    layout.build.write_text(json.dumps({"schema_version": 1, "fingerprint": {}}))
    layout.lock.touch()
    return layout


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def others_file(root: Path) -> None:
    with h5py.File(root, "w") as file:
        file["scan"] = np.zeros(3)


def others_folder(root: Path) -> None:
    parts = root.with_name("x.h5.parts")
    parts.mkdir()
    (parts / "scan.h5").write_bytes(b"precious")


def others_file_beside_a_begun_plan(root: Path) -> None:
    StoreLayout(root).make_folders()
    StoreLayout(root).lock.touch()
    others_file(root)


@pytest.mark.parametrize(
    "make",
    [
        others_file,
        others_folder,
        others_file_beside_a_begun_plan,
        lambda root: root.mkdir(),
        lambda root: root.symlink_to(root.parent / "nowhere"),
        lambda root: root.with_name("x.h5.parts").write_bytes(b"a file"),
    ],
)
def test_what_is_not_ours_is_refused_and_kept(layout, tmp_path, make):
    make(layout.root)
    before = files(tmp_path)
    assert examine_root(layout) is RootState.NOT_A_STORE
    with pytest.raises(ConflictError, match="choose another --out"):
        clear_store(layout)
    assert files(tmp_path) == before


def test_nothing_or_an_empty_folder_is_free(layout):
    assert examine_root(layout) is RootState.FREE
    layout.folder.mkdir()
    assert examine_root(layout) is RootState.FREE


def test_clearing_takes_the_file_too_and_nothing_beside_it(built, tmp_path):
    (tmp_path / "y.h5").write_bytes(b"another")
    assert examine_root(built) is RootState.STORE
    clear_store(built)
    assert files(tmp_path) == ["x.h5.parts/run/lock", "y.h5"]
    assert examine_root(built) is RootState.UNFINISHED


def test_a_store_without_its_file_is_still_ours(built):
    built.root.unlink()
    assert examine_root(built) is RootState.STORE


def test_a_shard_is_taken_back_with_its_part_alone(built):
    remove_shard(built, [SPEC.name], 1)
    assert built.committed_shards() == {0}
    assert part_path(built, 0).exists()
    assert not part_path(built, 1).exists()
    assert missing_files(built, [SPEC.name]) == []
    part_path(built, 0).unlink()
    assert missing_files(built, [SPEC.name]) == [part_path(built, 0)]
