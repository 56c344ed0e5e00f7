"""Paths of a store, and the scan that finds what is committed."""

from pathlib import Path

import pytest

from dfsynth.errors import StoreError
from dfsynth.store import StoreLayout
from dfsynth.store.zarr.paths import array_path, group_path, shard_path


def test_paths_are_those_of_the_contract():
    layout = StoreLayout(Path("x.zarr"))
    assert layout.part(7) == Path("x.zarr/manifest/part-0000007.parquet")
    assert layout.part(12_345_678) == Path("x.zarr/manifest/part-12345678.parquet")
    assert layout.plan == Path("x.zarr/run/plan.pq")
    assert layout.build == Path("x.zarr/run/build.json")
    assert layout.lock == Path("x.zarr/run/lock")
    assert layout.scratch == Path("x.zarr/run/tmp")
    assert group_path(layout) == Path("x.zarr/zarr.json")
    assert array_path(layout, "dark_field") == Path("x.zarr/dark_field/zarr.json")
    assert shard_path(layout, "dark_field", 3) == Path("x.zarr/dark_field/c.3.0.0")


def test_committed_shards_counts_parts_and_nothing_else(layout):
    layout.make_folders()
    layout.make_folders()
    for shard in (0, 41, 9_999_999, 10_000_000):
        layout.part(shard).touch()
    for name in ("part-1.parquet", "part-0000002.parquet.tmp", "xpart-0000003.parquet", ".nfs1"):
        (layout.manifest / name).touch()
    assert layout.committed_shards() == {0, 41, 9_999_999, 10_000_000}


def test_store_without_manifest_folder_is_refused(layout):
    with pytest.raises(StoreError, match="cannot list"):
        layout.committed_shards()


def test_the_scan_for_parts_looks_at_no_part_by_itself(layout, monkeypatch):
    """A store of a hundred thousand images has thousands, and network disks answer slowly."""
    layout.make_folders()
    for shard in range(100):
        layout.part(shard).touch()
    calls: list[Path] = []

    def watched(path: Path) -> str:
        calls.append(path)
        return str(path)

    # Opening a path, listing a folder and looking at a file all ask for the path's text.
    monkeypatch.setattr(Path, "__fspath__", watched)
    assert len(layout.committed_shards()) == 100
    assert calls == [layout.manifest]
