"""Counts of failed rows: those of the parts, of which a large store opens only what changed."""

import os
from collections import Counter
from pathlib import Path

import pytest
from radiograph_files import write_folder, write_image
from toy_generator import ToyMaker

from dfsynth.errors import StoreError
from dfsynth.jobs import failure_counts
from dfsynth.jobs.build import run_build
from dfsynth.jobs.failure_counts import count_failures
from dfsynth.manifest import read_failures
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout


def build(images: Path, out: Path, **more):
    options = BuildOptions.of(source=images, out=out, shard_size=2, maps="dark_field", **more)
    return run_build(options, ToyMaker(), Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    root = write_folder(tmp_path / "images", 6)
    (root / "a.png").write_bytes(b"")
    (root / "z.png").write_bytes(b"no image")
    return root


@pytest.fixture
def layout(images, tmp_path) -> StoreLayout:
    build(images, tmp_path / "x.zarr")
    return StoreLayout(tmp_path / "x.zarr")


EXPECTED = Counter({(0, "empty"): 1, (3, "not_an_image"): 1})


def test_a_small_store_keeps_nothing(layout):
    assert count_failures(layout) == EXPECTED
    assert not layout.failures.exists()


def test_a_large_store_opens_only_what_changed(layout, images, monkeypatch):
    monkeypatch.setattr(failure_counts, "KEPT_FROM", 4)
    opened: list[list[str]] = []

    def watched(parts):
        found = list(parts)
        opened.append([part.name for part in found])
        return read_failures(found)

    monkeypatch.setattr(failure_counts, "read_failures", watched)
    for _ in range(2):
        assert count_failures(layout) == EXPECTED
    assert [len(names) for names in opened] == [4, 0]
    write_image(images / "z.png", 9)
    assert build(images, layout.root, retry_failed="not_an_image").failures == {"empty": 1}
    assert opened[-1] == []
    os.utime(layout.part(3), (1, 1))
    assert count_failures(layout) == Counter({(0, "empty"): 1})
    assert opened[-1] == [layout.part(3).name]


def test_what_was_committed_to_a_large_store_is_never_opened(images, tmp_path, monkeypatch):
    monkeypatch.setattr(failure_counts, "KEPT_FROM", 4)
    monkeypatch.setattr(failure_counts, "read_failures", lambda parts: Counter(map(str, parts)))
    assert build(images, tmp_path / "x.zarr").failures == {"empty": 1, "not_an_image": 1}
    assert count_failures(StoreLayout(tmp_path / "x.zarr")) == EXPECTED


LINE = b'{"shard": 0, "part": [1, 2, 3], "failed": {"empty": 9}}'


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"7", b"\xff", b'{"shard": 0}', LINE, LINE[:-9], LINE[:-1] + b"}}"]
)
def test_lines_that_are_damaged_or_old_count_nothing(layout, monkeypatch, content):
    monkeypatch.setattr(failure_counts, "KEPT_FROM", 4)
    layout.failures.write_bytes(content)
    for _ in range(2):
        assert count_failures(layout) == EXPECTED
    assert len(layout.failures.read_bytes().splitlines()) == 4 + 1


def test_a_disk_that_takes_nothing_is_no_trouble(images, tmp_path, monkeypatch):
    monkeypatch.setattr(failure_counts, "KEPT_FROM", 4)
    monkeypatch.setattr(StoreLayout, "failures", tmp_path)
    assert build(images, tmp_path / "x.zarr").failures == {"empty": 1, "not_an_image": 1}


def test_a_damaged_part_is_named(layout):
    layout.part(2).write_bytes(b"no parquet")
    with pytest.raises(StoreError, match=r"part-0000002"):
        count_failures(layout)


@pytest.mark.parametrize("wrong", [1, 7])
def test_a_part_under_the_name_of_another_shard_is_an_error(layout, wrong):
    layout.part(3).rename(layout.part(wrong))
    with pytest.raises(StoreError, match="holds rows of shard 3, which is not committed"):
        count_failures(layout)
