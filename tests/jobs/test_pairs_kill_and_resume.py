"""A simulation killed anywhere and run again ends in a store equal to one never interrupted."""

from pathlib import Path

import pytest
from store_content import assert_equal_stores
from toy_simulator import ToyPairMaker

from dfsynth.jobs.simulate import run_simulation
from dfsynth.options import SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout

KILLED_RUN = Path(__file__).with_name("killed_build.py")
HALTED_RUN = Path(__file__).with_name("halted_run.py")


@pytest.fixture(scope="module", params=["x.zarr", "x.h5"])
def whole(request, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("whole") / request.param
    options = SimulateOptions(out=out, n=11, size=64, shard_size=4)
    run_simulation(options, ToyPairMaker(options), Silent())
    return out


def test_killed_at_any_change_of_the_disk_then_resumed_is_equal(whole, tmp_path, start_child):
    output, errors = start_child(KILLED_RUN, "pairs", tmp_path, 17, whole.name).communicate()
    assert output, errors
    assert int(output) > 15, "the kills must reach from planning to the last commit"
    stores = sorted(tmp_path.glob(f"*/{whole.name}"))
    assert len(stores) >= int(output)
    for store in stores:
        assert_equal_stores(store, whole)
        assert list(StoreLayout(store).scratch.iterdir()) == []


def test_killed_from_outside_in_every_shard_then_resumed_is_equal(whole, tmp_path, start_child):
    out = tmp_path / whole.name
    for pair in (2, 8):
        child = start_child(HALTED_RUN, "pairs", out, pair)
        assert child.stdout.readline() == "halted\n"
        child.kill()
        child.wait()
    options = SimulateOptions(out=out, n=11, size=64, shard_size=4)
    assert run_simulation(options, ToyPairMaker(options), Silent()).resumed
    assert_equal_stores(out, whole)


def test_two_processes_share_a_store_and_make_nothing_twice(whole, tmp_path, start_child):
    out = tmp_path / whole.name
    children = []
    for _ in range(2):
        children.append(start_child(HALTED_RUN, "pairs", out, 1))
        assert children[-1].stdout.readline() == "halted\n", "each has a shard to itself"
    done = [int(child.communicate("go on\n")[0]) for child in children]
    assert sum(done) == 11, "each row is written by exactly one of the two"
    assert min(done) > 0
    assert_equal_stores(out, whole)


def test_resume_of_a_finished_store_lists_and_opens_nothing(whole):
    options = SimulateOptions(out=whole, n=11, size=64, shard_size=4)
    maker = ToyPairMaker(options)
    report = run_simulation(options, maker, Silent())
    assert report.resumed
    assert (report.ok, report.failed, report.shards_done) == (0, 0, 3)
    assert (maker.listed, maker.opened) == (0, 0)
