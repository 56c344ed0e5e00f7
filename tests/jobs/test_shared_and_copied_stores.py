"""Threads that share a store, copies without empty folders, and what is left to others."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from radiograph_files import write_folder
from store_content import assert_equal_stores, plain_array
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.jobs.build import run_build
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store


def build(images: Path, out: Path, maker: ToyMaker | None = None, **more):
    options = BuildOptions(source=str(images), out=out, shard_size=2, workers=1, **more)
    return run_build(options, maker or ToyMaker(batch_size=1), Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 12)


@pytest.fixture
def out(images, tmp_path) -> Path:
    build(images, tmp_path / "x.zarr")
    return tmp_path / "x.zarr"


class Meeting(ToyMaker):
    """Of generators that wait for each other before their first image: both are at work."""

    def __init__(self, barrier: Barrier) -> None:
        super().__init__(batch_size=1)
        self.barrier = barrier

    def make(self, *arguments):
        generator, barrier = super().make(*arguments), self.barrier
        met: list[int] = []

        class Generator(ToyGenerator):
            def generate(self, inputs, image_ids):
                if not met:
                    met.append(barrier.wait())
                return super().generate(inputs, image_ids)

        return Generator(generator.batch_size, generator.seed)


def test_two_threads_of_one_process_do_nothing_twice(images, tmp_path, out):
    shared, barrier = tmp_path / "shared.zarr", Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(build, images, shared, Meeting(barrier)) for _ in range(2)]
        reports = [run.result() for run in runs]
    assert sum(report.ok for report in reports) == 12
    assert min(report.ok for report in reports) > 0
    assert_equal_stores(shared, out)


def test_shards_that_another_holds_are_told_only_while_they_are_undone(images, tmp_path):
    """The last process to end finds all of them done, whoever did them."""
    out = tmp_path / "x.zarr"
    first: list[Any] = []

    class Helped(ToyMaker):
        """While it makes its first image, another process does all that is free."""

        def make(self, *_arguments):
            class Generator(ToyGenerator):
                def generate(self, inputs, image_ids):
                    if not first:
                        first.append(None)
                        first.append(build(images, out))
                    return super().generate(inputs, image_ids)

            return Generator(1, 0)

    last = build(images, out, Helped(batch_size=1))
    assert first[1].elsewhere > 0
    assert first[1].shards_done + first[1].elsewhere == 6
    assert (last.shards_done, last.elsewhere) == (6, 0)


def test_a_copy_without_empty_folders_is_resumed_and_repaired(images, out, tmp_path):
    layout = StoreLayout(out)
    layout.part(2).unlink()
    layout.scratch.rmdir()
    assert verify_store(out, True, Silent()).damage == ()
    layout.scratch.rmdir()
    assert build(images, out).ok == 2
    empty = tmp_path / "empty.zarr"
    shutil.copytree(out, empty)
    shutil.rmtree(empty / "manifest")
    assert build(images, empty).ok == 12
    assert_equal_stores(empty, out)


def test_a_removed_map_folder_is_made_again(images, out, tmp_path):
    whole = tmp_path / "whole.zarr"
    shutil.copytree(out, whole)
    shutil.rmtree(out / "aleatoric")
    assert verify_store(out, True, Silent()).requeued == tuple(range(6))
    assert build(images, out).ok == 12
    assert verify_store(out, False, Silent()).damage == ()
    assert_equal_stores(out, whole)
    assert plain_array(open_store(out), "aleatoric").shape == (12, 16, 16)
