"""`--retry-failed`: failed rows are made anew, and nothing else of a store changes."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kill_switch import is_killed
from radiograph_files import write_folder, write_image
from store_content import assert_equal_stores, plain_array
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.errors import StoreError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store
from dfsynth.store.zarr.paths import shard_path

LOST = ("part0/image0000.png", "part1/image0003.png")
"""In the first and the second of three shards."""


def options(images: Path, out: Path, **more) -> BuildOptions:
    return BuildOptions.of(source=images, out=out, shard_size=3, workers=1, **more)


def build(images: Path, out: Path, **more):
    return run_build(options(images, out, **more), ToyMaker(), Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 8)


@pytest.fixture
def whole(images, tmp_path) -> Path:
    """A store that nothing was lost of."""
    build(images, tmp_path / "whole.zarr")
    return tmp_path / "whole.zarr"


@pytest.fixture
def failed(images, whole, tmp_path) -> Path:
    """The same, of a time when two inputs were damaged."""
    kept = {name: (images / name).read_bytes() for name in LOST}
    for name in LOST:
        (images / name).write_bytes(b"no image")
    out = tmp_path / "failed.zarr"
    build(images, out)
    for name, data in kept.items():
        (images / name).write_bytes(data)
    return out


def rows_but_the_lost(store: Path):
    table = open_store(store).manifest
    return [row for row in table.to_pylist() if row["image_id"] not in LOST]


def test_failed_rows_are_made_anew_and_all_others_stay_bit_for_bit(failed, images, whole):
    layout = StoreLayout(failed)
    before = rows_but_the_lost(failed)
    untouched = layout.part(2).stat().st_ino
    report = build(images, failed, retry_failed=True)
    assert (report.ok, report.failed, report.failures) == (2, 0, {})
    assert rows_but_the_lost(failed) == before, "timings included"
    assert_equal_stores(failed, whole)
    assert layout.part(2).stat().st_ino == untouched, "a shard without failed rows is not written"
    assert verify_store(failed, False, Silent()).damage == ()
    assert not layout.replaced_shards()


def test_only_the_images_that_failed_are_generated(failed, images, monkeypatch):
    made = []
    generate = ToyGenerator.generate

    def watched(self, inputs, image_ids):
        made.extend(image_ids)
        return generate(self, inputs, image_ids)

    monkeypatch.setattr(ToyGenerator, "generate", watched)
    build(images, failed, retry_failed=True)
    assert set(made) == set(LOST)


def test_only_the_codes_that_are_named_are_tried(failed, images):
    assert build(images, failed, retry_failed="missing,timeout").ok == 0
    report = build(images, failed, retry_failed="not_an_image")
    assert (report.ok, report.failures) == (2, {})


def test_what_fails_again_stays_failed_and_is_tried_once_a_run(failed, images, whole):
    (images / LOST[1]).write_bytes(b"no image")
    report = build(images, failed, retry_failed=True)
    assert (report.ok, report.failed, report.failures) == (1, 1, {"not_an_image": 1})
    assert np.isnan(plain_array(open_store(failed), "dark_field")).any()


def test_a_resume_without_it_counts_failed_rows_and_does_nothing(failed, images):
    report = build(images, failed)
    assert (report.ok, report.failed) == (0, 0)
    assert (report.failures, report.committed) == ({"not_an_image": 2}, 8)
    assert not report.nothing_made


def test_a_kept_row_that_is_damaged_is_never_written_as_if_it_were_whole(failed, images):
    path = shard_path(StoreLayout(failed), "dark_field", 0)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    part = StoreLayout(failed).part(0).read_bytes()
    with pytest.raises(StoreError, match="verify"):
        build(images, failed, retry_failed=True)
    assert StoreLayout(failed).part(0).read_bytes() == part


@pytest.mark.parametrize("found", ["not_a_code", "", "missing,tmeout"])
def test_an_unknown_code_is_refused_with_the_nearest(images, tmp_path, found):
    with pytest.raises(UsageError, match="--retry-failed"):
        options(images, tmp_path / "x.zarr", retry_failed=found)


def test_it_does_not_go_with_overwrite(images, tmp_path):
    with pytest.raises(UsageError, match="--overwrite with --retry-failed"):
        options(images, tmp_path / "x.zarr", retry_failed=True, overwrite=True)


@pytest.mark.slow
def test_killed_at_any_change_of_the_disk_nothing_committed_is_lost(
    failed, images, whole, tmp_path, monkeypatch
):
    # Only a power cut would show what was flushed.
    monkeypatch.setattr("os.fsync", lambda _: None)
    kept = rows_but_the_lost(failed)
    kills, killed, half = 0, True, 0
    while killed:
        out = tmp_path / "killed.zarr"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(failed, out)
        killed = is_killed(partial(build, images, out, retry_failed=True), kills + 1)
        half += bool(StoreLayout(out).replaced_shards())
        assert rows_but_the_lost(out) == kept
        assert verify_store(out, False, Silent()).damage == (), f"killed at change {kills + 1}"
        # Without the option, too: a shard that is half replaced is not left so.
        build(images, out)
        assert not StoreLayout(out).replaced_shards()
        assert verify_store(out, False, Silent()).damage == ()
        build(images, out, retry_failed=True)
        assert_equal_stores(out, whole)
        assert list(StoreLayout(out).scratch.iterdir()) == []
        kills += 1
    assert half > 2, "the kills must fall between the files of one shard"
    assert kills > 20


def test_two_processes_do_not_try_a_shard_twice(failed, images, tmp_path):
    """The second one began before the first had written: it finds another part than it saw."""
    made = []

    class Second(ToyMaker):
        def make(self, *arguments):
            made.append(build(images, failed, retry_failed=True))
            return super().make(*arguments)

    report = run_build(options(images, failed, retry_failed=True), Second(), Silent())
    assert made[0].ok == 2
    assert (report.ok, report.failed) == (0, 0)


def test_rows_appended_by_hand_are_no_rows_of_a_retry(failed, images):
    """An input that appeared since planning is none that failed."""
    write_image(images / "new.png", 5)
    report = build(images, failed, retry_failed=True)
    assert (report.ok, report.new_inputs) == (2, 1)
