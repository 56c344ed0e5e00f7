"""A generator that makes several batches at once gives the store of one that makes one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from radiograph_files import write_folder
from store_content import assert_equal_stores
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.errors import DfsynthError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.shard_builder import export_pool
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout


class Together(ToyGenerator):
    """Starts no batch but together with another, and ends the later one first."""

    def generate(self, inputs, image_ids):
        made = super().generate(inputs, image_ids)
        if self.meeting.wait() == 0:
            self.turn.wait()
        else:
            self.turn.set()
        return made

    meeting = threading.Barrier(2)
    turn = threading.Event()


class Broken(ToyGenerator):
    def generate(self, inputs, image_ids):
        if any("image0005" in name for name in image_ids):
            raise DfsynthError("the device is gone")
        return super().generate(inputs, image_ids)


class Maker(ToyMaker):
    def __init__(self, kind: type[ToyGenerator], at_once: int) -> None:
        super().__init__(batch_size=2)
        self.kind, self.at_once = kind, at_once

    def make(self, precision, grid):
        made = super().make(precision, grid)
        return replace(self.kind(made.batch_size, made.seed), at_once=self.at_once)


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 8)


def build(images: Path, out: Path, kind: type[ToyGenerator], at_once: int):
    options = BuildOptions.of(source=images, out=out, shard_size=4, workers=2)
    return run_build(options, Maker(kind, at_once), Silent())


@pytest.mark.timeout(60)  # only where batches are made one after the other, which would hang
def test_batches_are_made_together_and_their_rows_stay_in_order(images, tmp_path):
    build(images, tmp_path / "one" / "x.zarr", ToyGenerator, 1)
    report = build(images, tmp_path / "two" / "x.zarr", Together, 2)
    assert_equal_stores(tmp_path / "two" / "x.zarr", tmp_path / "one" / "x.zarr")
    assert report.stages is not None
    assert set(report.stages.waited) == {"inputs", "score and encode"}


@pytest.mark.parametrize(
    ("at_once", "cores", "shared"), [(2, 2, True), (4, 2, True), (2, 4, False), (1, 1, False)]
)
def test_who_generates_on_all_cores_scores_as_well(at_once: int, cores: int, shared: bool):
    generator = replace(ToyGenerator(2, 0), at_once=at_once)
    with ThreadPoolExecutor(1) as generating:
        with export_pool(generator, cores, generating) as exporting:
            assert (exporting is generating) == shared
        assert generating.submit(int).result() == 0  # it is not for this one to close


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_batch_that_fails_ends_the_run_and_the_next_run_goes_on(images, tmp_path, at_once):
    out = tmp_path / "x.zarr"
    with pytest.raises(DfsynthError, match="the device is gone"):
        build(images, out, Broken, at_once)
    assert verify_store(out, False, Silent()).damage == ()
    assert len(StoreLayout(out).committed_shards()) < 2
    build(images, out, ToyGenerator, at_once)
    (tmp_path / "whole").mkdir()
    build(images, tmp_path / "whole" / "x.zarr", ToyGenerator, 1)
    assert_equal_stores(out, tmp_path / "whole" / "x.zarr")
