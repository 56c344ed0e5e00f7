"""Processes that plan, overwrite and share at the same time never mix their options."""

from pathlib import Path
from typing import Any

import pytest
from radiograph_files import write_folder
from toy_generator import ToyMaker

from dfsynth.errors import ConflictError, ImageError
from dfsynth.jobs.build import run_build
from dfsynth.jobs.info import count_failed
from dfsynth.options import BuildOptions
from dfsynth.progress import Silent
from dfsynth.store.opened import open_store


@pytest.fixture
def radiographs(tmp_path) -> Path:
    return write_folder(tmp_path / "radiographs", 7)


def options(radiographs: Path, out: Path, **more: Any) -> BuildOptions:
    return BuildOptions(source=str(radiographs), out=out, shard_size=4, **more)


class OverwritingMaker(ToyMaker):
    """While its generator loads, somebody else plans the store anew with another seed."""

    def __init__(self, overwriting: BuildOptions) -> None:
        super().__init__(seed=0)
        self.overwriting = overwriting

    def make(self, precision, grid):
        # What the other process has done: a new plan, and no shard yet.
        from dfsynth.jobs.build_planning import BuildJob
        from dfsynth.jobs.planning import plan_or_resume
        from dfsynth.source import open_source
        from dfsynth.store import StoreLayout

        source = open_source(self.overwriting.source, None)
        layout = StoreLayout(self.overwriting.folder)
        job = BuildJob(self.overwriting, source, ToyMaker(seed=7))
        with plan_or_resume(job, layout, Silent()):
            pass
        return super().make(precision, grid)


def test_a_store_planned_anew_meanwhile_is_left_alone(radiographs, tmp_path):
    out = tmp_path / "x.zarr"
    maker = OverwritingMaker(options(radiographs, out, seed=7, overwrite=True))
    with pytest.raises(ConflictError, match="planned anew"):
        run_build(options(radiographs, out, seed=0), maker, Silent())
    assert open_store(out).record.fingerprint.seed == 7
    assert open_store(out).manifest.num_rows == 0


def test_strict_counts_failures_of_earlier_runs(radiographs, tmp_path):
    (radiographs / "bad.png").write_bytes(b"")
    out = tmp_path / "x.zarr"
    for _ in range(2):
        run_build(options(radiographs, out), ToyMaker(), Silent())
        assert count_failed(out, (0, 1)) == 1
    assert [count_failed(out, (index, 2)) for index in (0, 1)] == [1, 0]


def test_a_table_whose_first_files_are_missing_is_still_built(radiographs, tmp_path):
    names = sorted(str(p.relative_to(radiographs)) for p in radiographs.rglob("*.png"))
    absent = [f"absent{n}.png" for n in range(4)]
    table = radiographs / "table.csv"
    table.write_text("\n".join(["path", *absent, *names]) + "\n")
    out = tmp_path / "x.zarr"
    report = run_build(options(table, out), ToyMaker(), Silent())
    assert (report.ok, report.failed) == (7, 4)


def test_a_machine_without_memory_ends_the_run_and_fails_no_row(radiographs, tmp_path, monkeypatch):
    from dfsynth.errors import DfsynthError

    def no_memory(*_arguments: object) -> None:
        raise MemoryError

    out = tmp_path / "x.zarr"
    monkeypatch.setattr("dfsynth.preprocess.from_bytes.prepare", no_memory)
    with pytest.raises(DfsynthError, match="out of memory") as caught:
        run_build(options(radiographs, out), ToyMaker(), Silent())
    assert not isinstance(caught.value, ImageError)
    assert open_store(out).manifest.num_rows == 0


def test_a_store_overwritten_between_the_first_look_and_the_lock_is_refused(
    radiographs, tmp_path, monkeypatch
):
    from dfsynth.jobs import planning

    out = tmp_path / "x.zarr"
    run_build(options(radiographs, out, seed=0), ToyMaker(seed=0), Silent())
    (out / "manifest" / "part-0000001.parquet").unlink()
    first_look = planning.find_planned

    def look_then_lose_the_race(*arguments):
        resumes = first_look(*arguments)
        monkeypatch.setattr(planning, "find_planned", first_look)
        run_build(options(radiographs, out, seed=7, overwrite=True), ToyMaker(seed=7), Silent())
        return resumes

    monkeypatch.setattr(planning, "find_planned", look_then_lose_the_race)
    with pytest.raises(ConflictError, match="seed"):
        run_build(options(radiographs, out, seed=0), ToyMaker(seed=0), Silent())
    assert open_store(out).record.fingerprint.seed == 7
