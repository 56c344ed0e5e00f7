"""A run that is asked to stop ends between batches, and what it made of a shard is kept."""

import shutil
from functools import partial
from pathlib import Path

import pytest
from kill_switch import is_killed
from radiograph_files import write_folder
from store_content import assert_equal_stores
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store


class Stop:
    """Asks to stop while the n-th batch is made."""

    def __init__(self, batch: int) -> None:
        self.batches = batch
        self.made: list[str] = []

    def __call__(self) -> bool:
        return self.batches <= 0

    def maker(self) -> ToyMaker:
        stop = self

        class Maker(ToyMaker):
            def make(self, *arguments):
                made = super().make(*arguments)

                class Generator(ToyGenerator):
                    def generate(self, inputs, image_ids):
                        stop.batches -= 1
                        stop.made.extend(dict.fromkeys(image_ids))
                        return super().generate(inputs, image_ids)

                return Generator(made.batch_size, made.seed)

        return Maker(batch_size=2)


def build(images: Path, out: Path, stop: Stop | None = None, **more):
    options = BuildOptions.of(source=images, out=out, shard_size=6, workers=1, **more)
    stop = stop or Stop(10**6)
    return run_build(options, stop.maker(), Silent(), stop), stop


@pytest.fixture
def images(tmp_path) -> Path:
    root = write_folder(tmp_path / "images", 11)
    (root / "part0" / "a-bad.png").write_bytes(b"")
    return root


@pytest.fixture
def whole(images, tmp_path) -> Path:
    build(images, tmp_path / "whole.zarr")
    return tmp_path / "whole.zarr"


@pytest.mark.parametrize("batch", range(1, 7))
def test_stopped_in_any_batch_and_gone_on_with_nothing_is_made_twice(
    images, whole, tmp_path, batch
):
    out = tmp_path / "x.zarr"
    report, first = build(images, out, Stop(batch))
    rows = open_store(out).manifest["row"].to_pylist()
    assert rows == list(range(len(rows))), "what is not committed is no part of the manifest"
    assert report.ok == len(first.made)
    _, second = build(images, out)
    ids = map(str, open_store(whole).manifest["image_id"].to_pylist())
    assert sorted(first.made + second.made) == sorted(name for name in ids if "bad" not in name)
    assert_equal_stores(out, whole)
    assert not list(StoreLayout(out).run.glob("partial-*"))


def test_stopped_again_and_again(images, whole, tmp_path):
    out = tmp_path / "x.zarr"
    made: list[str] = []
    while len(made) < 11:
        _, stop = build(images, out, Stop(1))
        made += stop.made
    assert len(set(made)) == 11
    assert_equal_stores(out, whole)


def test_what_was_kept_is_dropped_by_a_repair(images, whole, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out, Stop(2))
    assert list(StoreLayout(out).run.glob("partial-*"))
    assert verify_store(out, True, Silent()).damage == ()
    assert not list(StoreLayout(out).run.glob("partial-*"))
    build(images, out)
    assert_equal_stores(out, whole)


def test_failed_rows_that_were_kept_are_made_anew_on_demand(images, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out, Stop(2))
    shutil.copy(images / "part0" / "image0000.png", images / "part0" / "a-bad.png")
    report, _ = build(images, out, retry_failed=True)
    assert report.failures == {}
    assert open_store(out).manifest["status"].to_pylist() == ["ok"] * 12


def test_a_stopped_retry_keeps_what_it_made(images, tmp_path):
    for number in (1, 3, 5):
        (images / f"part1/image{number:04d}.png").write_bytes(b"")
    out = tmp_path / "x.zarr"
    build(images, out)
    for number in (1, 3, 5):
        shutil.copy(images / "part0/image0000.png", images / f"part1/image{number:04d}.png")
    first, _ = build(images, out, Stop(1), retry_failed="empty")
    assert first.ok == 2
    assert verify_store(out, False, Silent()).damage == ()
    second, _ = build(images, out, retry_failed="empty")
    assert second.ok == 1
    assert second.failures == {"empty": 1}


def test_killed_anywhere_while_it_stops_or_goes_on(images, whole, tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)
    begun = tmp_path / "begun.zarr"
    build(images, begun, Stop(1))
    number, killed = 1, True
    while killed:
        out = tmp_path / "x.zarr"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(begun, out)
        killed = is_killed(partial(build, images, out, Stop(1)), number)
        build(images, out)
        assert_equal_stores(out, whole)
        assert verify_store(out, False, Silent()).damage == ()
        assert list(StoreLayout(out).scratch.iterdir()) == []
        number += 3
    assert number > 20
