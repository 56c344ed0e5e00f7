"""A store in another format holds the same, and is gone on with like any other."""

import json
from pathlib import Path

import h5py
import pytest
from radiograph_files import write_bad_files, write_folder, write_image
from store_content import assert_equal_stores
from toy_generator import ToyMaker
from toy_simulator import ToyPairMaker

import dfsynth
from dfsynth.errors import ConflictError, StoreError, UsageError
from dfsynth.files.durable import write_durably
from dfsynth.jobs.build import run_build
from dfsynth.jobs.simulate import run_simulation
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions, SimulateOptions
from dfsynth.progress import Silent
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.plan import Plan, row_and_id
from dfsynth.store.record import read_record

NAMES = {"zarr": "x.zarr", "hdf5": "x.h5"}
BACK = {"zarr": "hdf5", "hdf5": "zarr"}


@pytest.fixture
def radiographs(tmp_path) -> Path:
    root = write_folder(tmp_path / "radiographs", 7)
    write_bad_files(root)
    return root


def built(radiographs: Path, out: Path) -> Path:
    run_build(BuildOptions(source=str(radiographs), out=out, shard_size=4), ToyMaker(), Silent())
    return out


def simulated(out: Path) -> Path:
    options = SimulateOptions(out=out, n=7, size=64, shard_size=3)
    run_simulation(options, ToyPairMaker(options), Silent())
    return out


@pytest.mark.parametrize("first", NAMES)
@pytest.mark.parametrize("kind", ["images", "pairs"])
def test_there_and_back_everything_is_the_same(radiographs, tmp_path, first, kind):
    start = tmp_path / NAMES[first]
    if kind == "images":
        built(radiographs, start)
    else:
        simulated(start)
    second, third = tmp_path / NAMES[BACK[first]], tmp_path / f"again{Path(NAMES[first]).suffix}"
    dfsynth.export(start, second, to=BACK[first])
    report = dfsynth.export(second, third, to=first)
    assert (report.shards_done, report.pending, report.resumed) == (3, 0, False)
    for store in (second, third):
        assert_equal_stores(start, store)
        assert verify_store(store, False, Silent()).damage == ()
        ours, theirs = StoreLayout(store), StoreLayout(start)
        for shard in range(3):
            assert ours.part(shard).read_bytes() == theirs.part(shard).read_bytes()
        plans = [
            Plan(layout.plan, read_record(layout.build).cut, row_and_id)
            for layout in (ours, theirs)
        ]
        assert plans[0].items(0) == plans[1].items(0)
        assert read_record(ours.build).attributes() == read_record(theirs.build).attributes()
    assert StoreLayout(third).build.read_bytes() == StoreLayout(start).build.read_bytes()


def test_the_command_that_made_the_store_goes_on_with_the_export(radiographs, tmp_path):
    """Half a store is exported as half a store, and finished in either place."""
    whole, start, out = (tmp_path / name for name in ("whole.h5", "x.zarr", "x.h5"))
    built(radiographs, whole)
    built(radiographs, start)
    StoreLayout(start).part(1).unlink()
    report = dfsynth.export(start, out, to="hdf5")
    assert (report.shards_done, report.pending) == (2, 1)
    assert h5py.is_hdf5(out)
    built(radiographs, out)
    assert_equal_stores(out, whole)


def test_what_was_committed_or_redone_since_is_taken_over(radiographs, tmp_path):
    start, out = built(radiographs, tmp_path / "x.zarr"), tmp_path / "x.h5"
    layout, target = StoreLayout(start), StoreLayout(out)
    kept = layout.part(1).read_bytes()
    layout.part(1).unlink()
    dfsynth.export(start, out, to="hdf5")
    write_durably(layout.part(1), kept, layout.scratch, "test")
    # As a repaired shard has it: the same values, another time of writing.
    write_durably(target.part(0), kept, target.scratch, "test")
    report = dfsynth.export(start, out, to="hdf5")
    assert (report.ok + report.failed, report.shards_done, report.resumed) == (8, 3, True)
    assert_equal_stores(out, start)
    report = dfsynth.export(start, out, to="hdf5")
    assert (report.ok, report.failed) == (0, 0)


EXPORT = """
import sys
sys.path.insert(0, sys.argv[4])
from kill_switch import is_killed
import dfsynth, dfsynth.jobs.export, h5py
from functools import partial
from pathlib import Path
number, killed = 1, 0
while True:
    out = Path(sys.argv[2], f"{number:05d}", sys.argv[3])
    export = partial(dfsynth.export, sys.argv[1], out, to="hdf5" if out.suffix == ".h5" else "zarr")
    if not is_killed(export, number):
        break
    killed += 1
    export()
    number += 13
print(killed)
"""


@pytest.mark.parametrize("to", NAMES)
def test_killed_anywhere_then_run_again_it_is_the_same(radiographs, tmp_path, start_child, to):
    start = built(radiographs, tmp_path / f"start{Path(NAMES[BACK[to]]).suffix}")
    support = Path(__file__).parents[1] / "support"
    folder = tmp_path / "killed"
    output, errors = start_child(EXPORT, start, folder, NAMES[to], support).communicate()
    assert output, errors
    assert int(output) > 8
    for out in folder.glob(f"*/{NAMES[to]}"):
        assert_equal_stores(out, start)
        assert list(StoreLayout(out).scratch.iterdir()) == []


def test_a_store_that_was_extended_is_exported_with_all_its_plannings(radiographs, tmp_path):
    start, out = built(radiographs, tmp_path / "x.zarr"), tmp_path / "x.h5"
    write_image(radiographs / "later.png", 50)
    options = BuildOptions(source=str(radiographs), out=start, shard_size=4, extend=True)
    run_build(options, ToyMaker(), Silent())
    assert len(read_record(StoreLayout(start).build).cut.segments) == 2
    dfsynth.export(start, out, to="hdf5")
    assert verify_store(out, False, Silent()).damage == ()
    assert_equal_stores(start, out)


def test_a_damaged_plan_is_named(radiographs, tmp_path):
    start = built(radiographs, tmp_path / "x.zarr")
    plan = StoreLayout(start).plan
    plan.write_bytes(plan.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"plan\.pq is damaged or missing"):
        dfsynth.export(start, tmp_path / "x.h5", to="hdf5")
    assert not (tmp_path / "x.h5").exists()


def test_damaged_values_are_not_passed_on(radiographs, tmp_path):
    start, out = built(radiographs, tmp_path / "x.zarr"), tmp_path / "x.h5"
    layout = StoreLayout(start)
    one, other = format_of(layout).shard_files(layout, ["aleatoric", "dark_field"], 1)
    swapped = one.read_bytes(), other.read_bytes()
    other.write_bytes(swapped[0])
    one.write_bytes(swapped[1])
    with pytest.raises(StoreError, match=r"image 'part0/image0004\.png'.*--repair"):
        dfsynth.export(start, out, to="hdf5")
    assert StoreLayout(out).committed_shards() == {0}


def test_what_cannot_be_meant_is_refused(radiographs, tmp_path):
    start = built(radiographs, tmp_path / "x.zarr")
    with pytest.raises(UsageError, match="--to tape: expected zarr, hdf5"):
        dfsynth.export(start, tmp_path / "x.tape", to="tape")
    with pytest.raises(UsageError, match=r"ends in \.h5 or \.hdf5 for"):
        dfsynth.export(start, tmp_path / "y.zarr", to="hdf5")
    with pytest.raises(UsageError, match="is the store itself"):
        dfsynth.export(start, start, to="zarr")
    with pytest.raises(UsageError, match="no dfsynth store"):
        dfsynth.export(tmp_path / "z.zarr", tmp_path / "z.h5", to="hdf5")
    other = tmp_path / "other.h5"
    other.write_bytes(b"of somebody else")
    with pytest.raises(ConflictError, match="is no dfsynth store"):
        dfsynth.export(start, other, to="hdf5")
    assert other.read_bytes() == b"of somebody else"
    pairs = tmp_path / "pairs.h5"
    dfsynth.export(start, pairs, to="hdf5")
    with pytest.raises(ConflictError, match="dfsynth build, not by dfsynth simulate"):
        dfsynth.export(simulated(tmp_path / "pairs.zarr"), pairs, to="hdf5")
    dfsynth.export(tmp_path / "pairs.zarr", pairs, to="hdf5", overwrite=True)
    assert_equal_stores(pairs, tmp_path / "pairs.zarr")


def test_another_plan_of_the_same_options_is_refused(radiographs, tmp_path):
    one, other = built(radiographs, tmp_path / "a.zarr"), built(radiographs, tmp_path / "b.zarr")
    dfsynth.export(one, tmp_path / "x.h5", to="hdf5")
    with pytest.raises(ConflictError, match="plan_id"):
        dfsynth.export(other, tmp_path / "x.h5", to="hdf5")


def test_the_command_says_what_it_did(radiographs, tmp_path, run_cli):
    start = built(radiographs, tmp_path / "x.zarr")
    StoreLayout(start).part(2).unlink()
    command = ("export", start, "--to", "hdf5", "--out", tmp_path / "x.h5")
    status, out, _ = run_cli(*command)
    assert status == 0
    assert "2 of 3 shards" in out
    assert "not built yet: 1;" in out
    found = json.loads(run_cli(*command, "--json")[1])
    assert (found["shards_done"], found["pending"], found["resumed"]) == (2, 1, True)
