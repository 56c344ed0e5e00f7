"""`--extend`: inputs that appeared since planning get new shards; a resume notices them."""

import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kill_switch import is_killed
from radiograph_files import write_folder, write_image
from store_content import assert_equal_stores, plain_array
from toy_generator import ToyGenerator, ToyMaker

from dfsynth.errors import ConflictError, UsageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.build_estimate import estimate_build
from dfsynth.jobs.info import describe_store
from dfsynth.jobs.verify import verify_store
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent, Told
from dfsynth.store import StoreLayout
from dfsynth.store.cut import Cut
from dfsynth.store.opened import open_store
from dfsynth.store.plan import Plan, row_and_id
from dfsynth.store.record import read_record


def options(images: Path, out: Path, **more) -> BuildOptions:
    return BuildOptions.of(source=images, out=out, shard_size=4, workers=1, **more)


def build(images: Path, out: Path, told: Told | None = None, **more):
    return run_build(options(images, out, **more), ToyMaker(), told or Silent())


@pytest.fixture
def images(tmp_path) -> Path:
    return write_folder(tmp_path / "images", 6)


@pytest.fixture
def out(images, tmp_path) -> Path:
    """A store of six images: the second of its shards is half full."""
    build(images, tmp_path / "x.zarr")
    return tmp_path / "x.zarr"


def add(images: Path, numbers: range) -> list[str]:
    """Files that come before and after those that there are, by name."""
    names = [f"part0/{'a' if number % 2 else 'z'}{number}.png" for number in numbers]
    for number, name in zip(numbers, names, strict=True):
        write_image(images / name, 100 + number)
    return sorted(names)


def files(store: Path) -> dict[str, tuple[int, bytes]]:
    shards = [path for path in store.rglob("*") if path.name.startswith(("c.", "part-"))]
    return {str(p.relative_to(store)): (p.stat().st_ino, p.read_bytes()) for p in shards}


def test_new_inputs_get_new_shards_and_old_files_stay_untouched(images, out):
    before, rows = files(out), open_store(out).manifest.to_pylist()
    added = add(images, range(5))
    report = build(images, out, extend=True)
    assert (report.ok, report.rows, report.shards, report.shards_done) == (5, 11, 4, 4)
    after = files(out)
    assert {name: after[name] for name in before} == before
    table = open_store(out).manifest.to_pylist()
    assert table[:6] == rows
    assert [row["image_id"] for row in table[6:]] == added
    assert [row["row"] for row in table[6:]] == [8, 9, 10, 11, 12]
    array = plain_array(open_store(out), "dark_field")
    assert array.shape == (13, 16, 16)
    assert np.isnan(array[6:8]).all(), "rows up to the end of a shard are of no input"
    assert np.isfinite(array[8:]).all()
    assert verify_store(out, False, Silent()).damage == ()
    assert describe_store(out).status == {"ok": 11, "failed": 0, "pending": 0}


def test_extended_again_and_again(images, out):
    for numbers in (range(3), range(3, 8), range(8, 9)):
        add(images, numbers)
        build(images, out, extend=True)
    record = read_record(StoreLayout(out).build)
    assert record.cut == Cut(4, (6, 3, 5, 1))
    assert open_store(out).manifest.num_rows == 15
    plan = Plan(StoreLayout(out).plan, record.cut, row_and_id)
    lines = [line for shard in range(plan.shards) for line in plan.items(shard)]
    table = open_store(out).manifest
    assert lines == list(zip(table["row"].to_pylist(), table["image_id"].to_pylist(), strict=True))
    assert verify_store(out, False, Silent()).damage == ()
    assert build(images, out).resumed


def test_failed_rows_of_a_short_shard_are_made_anew_after_an_extension(images, tmp_path):
    name = "part1/image0005.png"
    data = (images / name).read_bytes()
    (images / name).write_bytes(b"")
    out = tmp_path / "x.zarr"
    build(images, out)
    add(images, range(2))
    build(images, out, extend=True)
    (images / name).write_bytes(data)
    assert build(images, out, retry_failed=True).ok == 1
    assert verify_store(out, False, Silent()).damage == ()
    assert open_store(out).manifest["status"].to_pylist() == ["ok"] * 8


def test_a_resume_notices_new_inputs_and_says_how_to_take_them(images, out, monkeypatch):
    add(images, range(3))
    told = Told()
    report = build(images, out, told)
    assert (report.ok, report.new_inputs, report.shards) == (0, 3, 2)
    assert any("3 inputs appeared" in line and "--extend" in line for line in told.messages)
    build(images, out, extend=True)
    # Nothing changed since: nothing is listed.
    monkeypatch.setattr("dfsynth.source.folder.FolderSource.listing", None)
    assert build(images, out).new_inputs == 0


def test_new_folders_are_noticed_at_any_depth(images, out):
    write_image(images / "part1" / "deeper" / "new.png", 7)
    assert build(images, out).new_inputs == 1


def test_a_dry_run_tells_the_same_as_a_build(images, out):
    found = estimate_build(options(images, out), ToyMaker())
    assert (found.planned, found.rows, found.shards, found.new_inputs) == (True, 0, 0, 0)
    add(images, range(3))
    found = estimate_build(options(images, out), ToyMaker())
    assert (found.rows, found.new_inputs) == (0, 3)
    assert any("--extend" in line for line in found.warnings)
    StoreLayout(out).part(1).unlink()
    found = estimate_build(options(images, out), ToyMaker())
    assert (found.rows, found.shards) == (2, 1)
    assert build(images, out).ok == 2


def test_inputs_that_are_gone_keep_their_rows(images, out):
    (images / "part0" / "image0000.png").unlink()
    add(images, range(1))
    told = Told()
    build(images, out, told, extend=True)
    assert any("1 planned input is no longer listed" in line for line in told.messages)
    assert open_store(out).manifest.num_rows == 7


def test_a_store_that_is_not_there_is_planned_as_ever(images, tmp_path):
    report = build(images, tmp_path / "x.zarr", extend=True)
    assert (report.ok, report.resumed) == (6, False)


def test_nothing_new_changes_nothing(images, out):
    before = StoreLayout(out).build.read_bytes()
    assert build(images, out, extend=True).ok == 0
    assert StoreLayout(out).build.read_bytes() == before


def test_of_a_store_with_a_limit_nobody_knows_what_is_new(images, tmp_path):
    out = tmp_path / "x.zarr"
    build(images, out, limit=3)
    assert build(images, out, limit=3).new_inputs == 0
    with pytest.raises(UsageError, match="--limit 3"):
        build(images, out, limit=3, extend=True)


def test_a_store_in_use_is_not_extended(images, out):
    add(images, range(2))
    StoreLayout(out).part(1).unlink()

    class Extending(ToyMaker):
        """While its generator runs, somebody wants to extend the store."""

        def make(self, *arguments):
            made = super().make(*arguments)

            class Generator(ToyGenerator):
                def generate(self, inputs, image_ids):
                    with pytest.raises(ConflictError, match="another process is at work"):
                        build(images, out, extend=True)
                    return super().generate(inputs, image_ids)

            return Generator(made.batch_size, made.seed)

    assert run_build(options(images, out), Extending(), Silent()).ok == 2


def test_a_run_that_began_before_the_extension_goes_on_with_its_shards(images, tmp_path):
    """Between two shards it holds no lock; what it works on is the same store."""
    out = tmp_path / "x.zarr"

    class ExtendedMeanwhile(ToyMaker):
        def make(self, *arguments):
            add(images, range(2))
            build(images, out, extend=True, partition="1/2")
            return super().make(*arguments)

    report = run_build(options(images, out, partition="0/2"), ExtendedMeanwhile(), Silent())
    assert report.ok == 4
    build(images, out)
    assert open_store(out).manifest.num_rows == 8
    assert verify_store(out, False, Silent()).damage == ()


@pytest.mark.slow
def test_killed_anywhere_it_is_planned_or_not_and_goes_on(images, out, tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda _: None)
    add(images, range(2))
    whole = tmp_path / "whole.zarr"
    shutil.copytree(out, whole)
    build(images, whole, extend=True)
    before = open_store(out).manifest.to_pylist()
    kills, killed, segments, left = 0, True, set(), set()
    while killed:
        cut = tmp_path / "cut.zarr"
        shutil.rmtree(cut, ignore_errors=True)
        shutil.copytree(out, cut)
        killed = is_killed(partial(build, images, cut, extend=True), kills + 1)
        segments.add(len(json.loads(StoreLayout(cut).build.read_text())["segments"]))
        scratch = StoreLayout(cut).scratch
        left |= {entry.name.partition(".")[0] for entry in scratch.iterdir()}
        build(images, cut)
        assert list(scratch.iterdir()) == [], f"killed at change {kills + 1}"
        assert open_store(cut).manifest.to_pylist()[:6] == before
        assert verify_store(cut, False, Silent()).damage == (), f"killed at change {kills + 1}"
        build(images, cut, extend=True)
        assert_equal_stores(cut, whole)
        kills += 2
    assert segments == {0, 2}
    assert left >= {"plan", "group", "card"}
