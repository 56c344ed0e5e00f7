"""kill -9 at any moment leaves nothing partial under a final name, and nothing unsweepable."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from dfsynth.files.durable import sweep
from dfsynth.store import RootState, StoreLayout, clear_store, examine_root, format_of

SCRIPT = Path(__file__).with_name("kill_at_every_call.py")

OBJECTS = {"x.zarr": {2, 3, 4}, "x.h5": {2, 4}}
"""How many arrays of two shards there can be after a kill; a shard of HDF5 is one file."""

WRITE_FOR_EVER = """
import sys
from pathlib import Path
import numpy as np
from dfsynth.files.durable import write_durably
from dfsynth.store import ArraySpec, StoreLayout, format_of
layout = StoreLayout(Path(sys.argv[1]))
spec = ArraySpec("dark_field", "float16", 10_000, 64, 64, 10)
known = format_of(layout)
known.write_group(layout, [spec], {})
for shard in range(spec.shards):
    with known.shard_writer(layout, [spec], shard) as writer:
        for index in range(10):
            values = np.random.default_rng(shard * 10 + index).normal(size=(64, 64))
            writer.append(index, known.encode_row([spec], {"dark_field": values}))
        writer.commit()
    write_durably(layout.part(shard), b"part", layout.scratch, layout.owner(shard))
    print("committed", flush=True)
"""


@pytest.fixture(scope="module")
def scenario():
    spec = importlib.util.spec_from_file_location("kill_at_every_call", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["x.zarr", "x.h5"])
def name(request) -> str:
    return request.param


@pytest.fixture
def killed_stores(start_child, tmp_path, name):
    """The stores that a scenario leaves, killed at every `stride`-th of its calls."""

    def run(scenario: str, stride: int) -> list[StoreLayout]:
        output, errors = start_child(SCRIPT, scenario, tmp_path, stride, name).communicate()
        assert output, errors
        layouts = [StoreLayout(folder / name) for folder in sorted(tmp_path.iterdir())]
        assert len(layouts) >= 6
        return layouts

    return run


def has_files(layout: StoreLayout, name: str, shard: int) -> bool:
    """Whether the file of a shard of an array is there."""
    (path,) = format_of(layout).shard_files(layout, [name], shard)
    return path.exists()


def check_objects(layout: StoreLayout, scenario) -> int:
    """Every object under its final name reads whole; how many there are."""
    found = 0
    for number, spec in enumerate(scenario.SPECS):
        for shard in range(spec.shards):
            if not has_files(layout, spec.name, shard):
                assert shard not in layout.committed_shards()
                continue
            found += 1
            for index in range(spec.rows_of(shard)):
                row = shard * spec.shard_size + index
                values = format_of(layout).open_arrays(layout).read(spec.name, row)
                np.testing.assert_array_equal(values, row + number)
    return found


def test_planning_killed_anywhere_is_known_as_unfinished(killed_stores, scenario):
    states = set()
    for number, layout in enumerate(killed_stores("plan", 1)):
        state = examine_root(layout)
        states.add(state)
        assert state in {RootState.FREE, RootState.UNFINISHED, RootState.STORE}
        if state is RootState.STORE:
            assert format_of(layout).read_group(layout)[0] == scenario.SPECS
        elif number % 5 == 0:
            clear_store(layout)
            scenario.plan(layout)
            assert examine_root(layout) is RootState.STORE
    assert states == {RootState.FREE, RootState.UNFINISHED, RootState.STORE}


def test_writing_killed_anywhere_leaves_whole_objects(killed_stores, scenario, name):
    swept, objects, committed = 0, set(), set()
    for number, layout in enumerate(killed_stores("redo", 1)):
        objects.add(check_objects(layout, scenario))
        committed.add(0 in layout.committed_shards())
        swept += sweep(layout.scratch, layout.owner(0))
        assert list(layout.scratch.iterdir()) == []
        if number % 5 == 0:
            scenario.write_shard(layout, 0)
            assert check_objects(layout, scenario) == 4
    assert swept > 10
    assert objects == OBJECTS[name], "kills must fall before, between and after the renames"
    assert committed == {False, True}


def test_removal_killed_anywhere_never_leaves_a_part_without_objects(killed_stores, scenario, name):
    objects = {check_objects(layout, scenario) for layout in killed_stores("remove", 1)}
    assert objects == OBJECTS[name]


def test_clearing_killed_anywhere_can_be_finished(killed_stores, scenario):
    states = set()
    for layout in killed_stores("clear", 2):
        states.add(examine_root(layout))
        clear_store(layout)
        left = [path for path in layout.root.parent.rglob("*") if path.is_file()]
        assert left == [layout.lock]
    scenario.complete(layout)
    assert check_objects(layout, scenario) == 4
    assert states == {RootState.STORE, RootState.UNFINISHED}


def test_writer_killed_while_it_writes_commits_whole_shards(tmp_path, start_child, name):
    for shards in (1, 4):
        layout = StoreLayout(tmp_path / f"{shards}{name}")
        child = start_child(WRITE_FOR_EVER, layout.root)
        for _ in range(shards):
            assert child.stdout.readline() == "committed\n"
        child.kill()
        assert child.wait() == -9
        arrays = format_of(layout).open_arrays(layout)
        written = [s for s in range(10_000 // 10) if has_files(layout, "dark_field", s)]
        for shard in written:
            for row in range(shard * 10, shard * 10 + 10):
                expected = np.random.default_rng(row).normal(size=(64, 64)).astype(np.float16)
                np.testing.assert_array_equal(arrays.read("dark_field", row), expected)
        committed = layout.committed_shards()
        assert len(committed) >= shards
        assert committed <= set(written)
        sweep(layout.scratch)
        assert list(layout.scratch.iterdir()) == []
