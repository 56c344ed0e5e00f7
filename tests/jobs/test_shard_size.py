"""Without --shard-size, a shard is some minutes of work, and the plan keeps that."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from radiograph_files import write_folder
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.jobs import build_planning
from dfsynth.jobs.build import run_build
from dfsynth.jobs.shard_size import LARGEST, SHARD_S, SMALLEST, choose_shard_size, measure_rate
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store


def build(images: Path, out: Path, maker: ToyMaker | None = None, **more):
    options = BuildOptions.of(source=images, out=out, maps="dark_field", **more)
    return run_build(options, maker or ToyMaker(), Silent())


@given(rate=st.floats(0, 1e6), images=st.integers(1, 10**7), processes=st.integers(1, 1000))
def test_a_size_is_a_power_of_two_within_bounds(rate, images, processes):
    size = choose_shard_size(rate, images, processes)
    assert SMALLEST <= size <= LARGEST
    assert size & (size - 1) == 0


@given(rate=st.floats(SMALLEST / SHARD_S, LARGEST / SHARD_S))
def test_within_the_bounds_a_shard_takes_half_of_the_time_to_all_of_it(rate):
    assert SHARD_S / 2 <= choose_shard_size(rate, 10**7, 1) / rate <= SHARD_S * (1 + 1e-9)


@pytest.mark.parametrize(
    ("rate", "images", "processes", "size"),
    [(0.6, 10**6, 1, 128), (2.4, 10**6, 1, 512), (0.01, 10**6, 1, 16), (300, 10**6, 1, 512)],
)
def test_sizes_at_known_rates(rate, images, processes, size):
    assert choose_shard_size(rate, images, processes) == size


def test_processes_that_share_a_store_each_get_several_shards():
    size = choose_shard_size(100, 4000, 8)
    assert 4000 // size >= 4 * 8


def test_the_rate_is_that_of_whole_batches_after_the_first(monkeypatch):
    times = iter([10.0, 12.0])
    monkeypatch.setattr("dfsynth.jobs.shard_size.perf_counter", lambda: next(times))
    calls = []

    class Watched(ToyGenerator):
        def generate(self, inputs, image_ids):
            calls.append((len(inputs), inputs[0].image.shape, inputs[0].image.dtype))
            return super().generate(inputs, image_ids)

    assert measure_rate(Watched(6, 0), (16, 24)) == 3.0
    assert calls == [(6, (16, 24), np.dtype("float32"))] * 2


def test_the_plan_keeps_the_size_and_a_faster_machine_goes_on_with_it(tmp_path, monkeypatch):
    images, out = write_folder(tmp_path / "images", 40), tmp_path / "x.zarr"
    monkeypatch.setattr(build_planning, "measure_rate", lambda *_: 0.1)
    maker = ToyMaker()
    report = build(images, out, maker)
    assert report.shards == 3
    assert maker.made == 1, "what was measured is what runs"
    assert open_store(out).record.shard_size == 16
    (out / "manifest" / "part-0000002.parquet").unlink()
    monkeypatch.setattr(build_planning, "measure_rate", lambda *_: 1000.0)
    assert build(images, out).ok == 8
    assert open_store(out).record.shard_size == 16


def test_a_few_images_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(build_planning, "measure_rate", None)
    images = write_folder(tmp_path / "images", 5)
    assert build(images, tmp_path / "x.zarr").shards == 1


def test_a_given_size_is_taken_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(build_planning, "measure_rate", None)
    images = write_folder(tmp_path / "images", 20)
    assert build(images, tmp_path / "x.zarr", shard_size=7).shards == 3


def test_the_rate_counts_the_batches_that_are_made_at_once(monkeypatch):
    times = iter([10.0, 12.0])
    monkeypatch.setattr("dfsynth.jobs.shard_size.perf_counter", lambda: next(times))
    assert measure_rate(ToyGenerator(6, 0, at_once=4), (16, 24)) == 12.0
