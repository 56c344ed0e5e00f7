"""A build killed anywhere and run again ends in a store equal to one never interrupted."""

import json
from pathlib import Path

import pytest
from radiograph_files import write_bad_files, write_folder
from store_content import assert_equal_stores
from toy_generator import ToyMaker

from dfsynth.errors import UsageError
from dfsynth.jobs.build import run_build
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout
from dfsynth.store.opened import open_store

KILLED_BUILD = Path(__file__).with_name("killed_build.py")
HALTED_RUN = Path(__file__).with_name("halted_run.py")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    root = write_folder(tmp_path_factory.mktemp("pictures"), 7)
    write_bad_files(root)
    return root


@pytest.fixture(scope="module", params=["x.zarr", "x.h5"])
def whole(request, pictures, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / request.param
    run_build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    return out


def test_killed_at_any_change_of_the_disk_then_resumed_is_equal(
    pictures, whole, tmp_path, start_child
):
    output, errors = start_child(KILLED_BUILD, pictures, tmp_path, 7, whole.name).communicate()
    assert output, errors
    assert int(output) > 30, "the kills must reach from planning to the last commit"
    stores = sorted(tmp_path.glob(f"*/{whole.name}"))
    assert len(stores) >= int(output)
    for store in stores:
        assert_equal_stores(store, whole)
        assert list(StoreLayout(store).scratch.iterdir()) == []


def test_killed_from_outside_in_every_shard_then_resumed_is_equal(
    pictures, whole, tmp_path, start_child
):
    out = tmp_path / whole.name
    committed = []
    for picture in (1, 3, 5):
        child = start_child(HALTED_RUN, pictures, out, picture)
        assert child.stdout.readline() == "halted\n"
        child.kill()
        child.wait()
        committed.append(open_store(out).manifest.num_rows)
    assert committed == [0, 4, 8]
    run_build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    assert_equal_stores(out, whole)


def test_two_processes_share_a_store_and_do_nothing_twice(pictures, whole, tmp_path, start_child):
    out = tmp_path / whole.name
    children = []
    for _ in range(2):
        children.append(start_child(HALTED_RUN, pictures, out, 1))
        assert children[-1].stdout.readline() == "halted\n", "each has a shard to itself"
    done = [int(child.communicate("go on\n")[0]) for child in children]
    assert sum(done) == 11, "each row is written by exactly one of the two"
    assert min(done) > 0
    assert_equal_stores(out, whole)


def test_resume_of_a_finished_store_lists_and_loads_nothing(pictures, whole, monkeypatch):
    monkeypatch.setattr("dfsynth.source.folder.FolderSource.listing", None)
    maker = ToyMaker()
    options = BuildOptions(source=str(pictures), out=whole, shard_size=4)
    report = run_build(options, maker, Silent())
    assert report.resumed
    assert (report.ok, report.failed, report.shards_done) == (0, 0, 3)
    assert maker.made == 0


def test_build_json_is_what_makes_a_store(whole):
    record = json.loads(StoreLayout(whole).build.read_text())
    assert record["rows"] == 11
    assert open_store(whole).manifest.num_rows == 11


def test_resuming_with_another_folder_is_refused_before_rows_are_lost(pictures, tmp_path):
    out, other = tmp_path / "x.zarr", tmp_path / pictures.name
    run_build(BuildOptions(source=str(pictures), out=out, shard_size=4), ToyMaker(), Silent())
    StoreLayout(out).part(1).unlink()
    other.mkdir()
    (other / "unrelated.png").write_bytes(b"")
    with pytest.raises(UsageError, match="read before are gone"):
        run_build(BuildOptions(source=str(other), out=out, shard_size=4), ToyMaker(), Silent())
    assert open_store(out).manifest.num_rows == 7
