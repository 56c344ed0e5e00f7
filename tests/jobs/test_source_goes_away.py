"""A source that goes away in mid-run fails no row: nothing of the shard in hand is committed."""

import errno
import os
from pathlib import Path

import pytest
from radiograph_files import write_folder
from store_content import assert_equal_stores
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.errors import DfsynthError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.source.reading import read_below
from dfsynth.store.opened import open_store


def build(images: Path, out: Path, maker: ToyMaker | None = None, **more):
    options = BuildOptions(source=str(images), out=out, shard_size=2, workers=1, **more)
    return run_build(options, maker or ToyMaker(batch_size=1), Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 24)


class At(ToyMaker):
    """Something happens before the n-th image is generated."""

    def __init__(self, number: int, happen) -> None:
        super().__init__(batch_size=1)
        self.number, self.happen = number, happen

    def make(self, *arguments):
        maker, generator = self, super().make(*arguments)

        class Generator(ToyGenerator):
            def generate(self, inputs, image_ids):
                maker.number -= 1
                if maker.number == 0:
                    maker.happen()
                return super().generate(inputs, image_ids)

        return Generator(generator.batch_size, generator.seed)


def test_an_emptied_root_ends_the_run_and_commits_no_missing_row(images, tmp_path):
    """As a disk that is no longer mounted leaves it: the folder is there, and empty."""
    out, whole, mounted = tmp_path / "x.zarr", tmp_path / "whole.zarr", tmp_path / "mounted"

    def mount(folder):
        # In one step, as a disk goes: nobody finds no folder at all.
        link = tmp_path / "next"
        link.symlink_to(folder, target_is_directory=True)
        link.replace(mounted)

    mount(images)
    build(mounted, whole)
    # Of the same name: a store knows its source by it.
    empty = tmp_path / "empty" / images.name
    empty.mkdir(parents=True)
    with pytest.raises(DfsynthError, match="the source is gone") as caught:
        build(mounted, out, At(5, lambda: mount(empty)))
    assert caught.value.exit_status == 1
    table = open_store(out).manifest
    assert 4 <= table.num_rows < 24
    assert set(table["status"].to_pylist()) == {"ok"}
    with pytest.raises(DfsynthError, match="read before are gone"):
        build(mounted, out)
    mount(images)
    assert build(mounted, out).failures == {}
    assert_equal_stores(out, whole)


def test_a_source_that_was_away_for_a_moment_fails_no_row(images, tmp_path, monkeypatch):
    """Files that were missing when they were read, and are there before the commit."""
    reads: list[str] = []

    def flickering(root, uri, max_bytes):
        reads.append(uri)
        if reads.count(uri) == 1 and uri.endswith("image0005.png"):
            return read_below(root, "nowhere", max_bytes)
        return read_below(root, uri, max_bytes)

    monkeypatch.setattr("dfsynth.source.below_root.read_below", flickering)
    with pytest.raises(DfsynthError, match="went away for a while"):
        build(images, tmp_path / "x.zarr")
    assert build(images, tmp_path / "x.zarr").failures == {}


def test_single_missing_files_are_failed_rows_as_ever(images, tmp_path):
    names = sorted(str(path.relative_to(images)) for path in images.rglob("*.png"))
    table = images / "t.csv"
    lines = [line for n, name in enumerate(names) for line in (name, f"absent{n}.png")]
    table.write_text("\n".join(["path", *lines]) + "\n")
    report = build(table, tmp_path / "x.zarr")
    assert (report.ok, report.failures) == (24, {"missing": 24})


def test_a_long_gap_in_a_table_is_no_source_that_is_gone(images, tmp_path):
    names = sorted(str(path.relative_to(images)) for path in images.rglob("*.png"))
    table = images / "t.csv"
    gap = [f"absent{n}.png" for n in range(40)]
    table.write_text("\n".join(["path", *names[:6], *gap, *names[6:]]) + "\n")
    report = build(table, tmp_path / "x.zarr")
    assert (report.ok, report.failures) == (24, {"missing": 40})


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ENOTCONN, errno.ETIMEDOUT])
def test_trouble_of_the_machine_in_mid_run_commits_nothing(images, tmp_path, monkeypatch, number):
    opened = os.open
    out = tmp_path / "x.zarr"

    def failing(path, *arguments, **more):
        if str(path).endswith("image0009.png"):
            raise OSError(number, "as the system says it")
        return opened(path, *arguments, **more)

    with monkeypatch.context() as broken:
        broken.setattr(os, "open", failing)
        with pytest.raises(DfsynthError, match="cannot read the source"):
            build(images, out)
    assert set(open_store(out).manifest["status"].to_pylist()) <= {"ok"}
    assert build(images, out).failures == {}
