"""`--timeout`: an input that takes too long fails with its code, and holds up no other."""

import threading
from pathlib import Path

import pytest
from radiograph_files import write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.errors import DfsynthError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.source.reading import read_below
from dfsynth.store.opened import open_store
from dfsynth.threads import activity, deadline


def build(images: Path, out: Path, progress=None, **more):
    options = BuildOptions.of(source=images, out=out, shard_size=4, workers=1, **more)
    return run_build(options, ToyMaker(), progress or Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 8)


@pytest.fixture
def stand_still(monkeypatch):
    """Files of these names are never read to the end, and time passes once they are begun."""
    gate, now = threading.Event(), [0.0]
    names: list[str] = []

    def slow(root, uri, max_bytes):
        if max_bytes and any(uri.endswith(name) for name in names):
            now[0] += 100.0
            gate.wait()
        return read_below(root, uri, max_bytes)

    with monkeypatch.context() as patched:
        patched.setattr("dfsynth.source.below_root.read_below", slow)
        patched.setattr(deadline, "monotonic", lambda: now[0])
        yield names
        gate.set()


def test_a_slow_input_fails_with_its_code_and_is_made_later(images, tmp_path, stand_still):
    whole, out = tmp_path / "whole.zarr", tmp_path / "x.zarr"
    build(images, whole)
    stand_still.append("image0003.png")
    report = build(images, out, timeout_s=60)
    assert (report.ok, report.failed, report.failures) == (7, 1, {"timeout": 1})
    errors = open_store(out).manifest["error"].to_pylist()
    assert "the image was not read and decoded within 60 s" in errors
    stand_still.clear()
    assert build(images, out, timeout_s=60, retry_failed="timeout").ok == 1
    assert_equal_stores(out, whole)


def test_a_source_that_does_not_answer_ends_the_run(images, tmp_path, stand_still):
    stand_still.append(".png")
    with pytest.raises(DfsynthError, match="does not answer"):
        build(images, tmp_path / "x.zarr", timeout_s=60)
    assert open_store(tmp_path / "x.zarr").manifest.num_rows <= 4


def test_without_slow_inputs_it_changes_nothing(images, tmp_path):
    build(images, tmp_path / "x.zarr")
    build(images, tmp_path / "y.zarr", timeout_s=1e5)
    assert_equal_stores(tmp_path / "x.zarr", tmp_path / "y.zarr")


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(tmp_path, seconds):
    with pytest.raises(UsageError, match="--timeout"):
        BuildOptions(source="images", out=tmp_path / "x.zarr", timeout_s=seconds)


def test_the_stage_that_stands_still_is_named_and_reported(images, tmp_path, monkeypatch):
    """The read goes on as soon as the watchdog has spoken."""
    told, heard, now = Told(), threading.Event(), [0.0]
    message = told.message

    def listening(text):
        message(text)
        if "stands still" in text:
            heard.set()

    def slow(root, uri, max_bytes):
        if max_bytes and uri.endswith("image0000.png"):
            now[0] += 100.0
            heard.wait()
        return read_below(root, uri, max_bytes)

    monkeypatch.setattr("dfsynth.source.below_root.read_below", slow)
    monkeypatch.setattr(activity, "monotonic", lambda: now[0])
    monkeypatch.setattr(told, "message", listening)
    report = build(images, tmp_path / "x.zarr", told)
    assert report.ok == 8
    assert report.stalls == {"read": 100.0}
    assert any("the stage read stands still at 'part0/image0000.png'" in t for t in told.messages)
