"""The summary of a manifest: what the parts say, of which a large store opens only what changed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.errors import StoreError
from dfsynth.jobs import manifest_summary
from dfsynth.jobs.build import run_build
from dfsynth.jobs.info import StoreInfo, describe_store
from dfsynth.manifest import read_manifest
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout


@pytest.fixture
def layout(tmp_path: Path) -> StoreLayout:
    """A store of four shards, two rows of which failed."""
    root = write_folder(tmp_path / "images", 6)
    (root / "a.png").write_bytes(b"")
    (root / "z.png").write_bytes(b"no image")
    options = BuildOptions.of(source=root, out=tmp_path / "x.zarr", shard_size=2, maps="dark_field")
    run_build(options, ToyMaker(), Silent())
    return StoreLayout(tmp_path / "x.zarr")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders of parts that are read from here on, in stores that count as large."""
    found: list[Path] = []

    def watched(folder: Path, *arguments: object) -> pa.Table:
        found.append(folder)
        return read_manifest(folder, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(manifest_summary, "KEPT_FROM", 3)
    monkeypatch.setattr(manifest_summary, "read_manifest", watched)
    return found


def described(layout: StoreLayout) -> StoreInfo:
    return describe_store(layout.root)


def without_size(info: StoreInfo) -> list[object]:
    values = {name: getattr(info, name) for name in StoreInfo.__slots__}
    return [value for name, value in values.items() if name != "size_bytes"]


def test_a_small_store_keeps_nothing(layout: StoreLayout) -> None:
    info = described(layout)
    assert (info.status["ok"], info.errors) == (6, {"empty": 1, "not_an_image": 1})
    assert not layout.summary.exists()


def test_a_large_store_is_read_once(layout: StoreLayout, reads: list[Path]) -> None:
    first = described(layout)
    again = described(layout)
    assert reads == [layout.manifest]
    assert without_size(again) == without_size(first)
    assert first.scores["uncertainty"]["median"] > 0
    assert list(again.errors) == list(first.errors)


def test_the_end_of_a_build_keeps_it(
    tmp_path: Path, layout: StoreLayout, reads: list[Path]
) -> None:
    expected = described(layout)
    options = BuildOptions.of(
        source=tmp_path / "images", out=tmp_path / "y.zarr", shard_size=2, maps="dark_field"
    )
    run_build(options, ToyMaker(), Silent())
    reads.clear()
    info = described(StoreLayout(tmp_path / "y.zarr"))
    assert reads == []
    assert (info.status, info.scores) == (expected.status, expected.scores)


def touch(layout: StoreLayout) -> None:
    os.utime(layout.part(1), (0, 0))


def remove(layout: StoreLayout) -> None:
    layout.part(1).unlink()


def rewrite(layout: StoreLayout) -> None:
    content = layout.part(1).read_bytes()
    layout.part(1).unlink()
    layout.part(1).write_bytes(content)


def spoil(layout: StoreLayout) -> None:
    layout.summary.write_bytes(b"\xff{")


def halve(layout: StoreLayout) -> None:
    layout.summary.write_bytes(layout.summary.read_bytes()[:40])


def falsify(layout: StoreLayout) -> None:
    layout.summary.write_text(json.dumps({**json.loads(layout.summary.read_bytes()), "status": 5}))


def of_other_parts(layout: StoreLayout) -> None:
    held = json.loads(layout.summary.read_bytes())
    layout.summary.write_text(json.dumps({**held, "parts": "0" * 32}))


@pytest.mark.parametrize("change", [touch, remove, rewrite, spoil, halve, falsify, of_other_parts])
def test_whatever_looks_otherwise_is_read_anew(
    layout: StoreLayout, reads: list[Path], change: Callable[[StoreLayout], None]
) -> None:
    described(layout)
    change(layout)
    reads.clear()
    info = described(layout)
    assert reads == [layout.manifest]
    assert info.status["ok"] == (4 if change is remove else 6)
    assert without_size(described(layout)) == without_size(info)
    assert len(reads) == 1


def test_a_part_that_is_written_while_others_are_read_is_not_kept(
    layout: StoreLayout, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(folder: Path, *arguments: object) -> pa.Table:
        table = read_manifest(folder, *arguments)  # type: ignore[arg-type]
        rewrite(layout)
        return table

    monkeypatch.setattr(manifest_summary, "read_manifest", late)
    described(layout)
    assert not layout.summary.exists()


def test_a_disk_that_takes_nothing_is_no_error(
    layout: StoreLayout, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(manifest_summary, "write_durably", refuse)
    assert described(layout).status["ok"] == 6
    assert not layout.summary.exists()
