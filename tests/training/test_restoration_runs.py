"""Whole runs of the scripts of restoration, as small as can be; done once, and gone on with."""

import sys
from pathlib import Path

import cv2
import pytest
import restoration_nodules
import restoration_table

import dfsynth
from dfsynth.datasets import open_pairs
from dfsynth.errors import UsageError
from dfsynth.resources import data_folder
from dfsynth.tasks import task_named

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of drawn bodies, all of which have nodules."""
    store = tmp_path_factory.mktemp("bodies") / "bodies.zarr"
    dfsynth.simulate_pairs(store, 30, task="restoration", origin="phantom", size=64, nodules=1.0)
    return store


@pytest.fixture(scope="module")
def out(bodies: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What restoration_table.py made of them, tested on radiographs of the package."""
    folder = tmp_path_factory.mktemp("table")
    test = folder / "test.zarr"
    dfsynth.simulate_pairs(test, 4, task="restoration", cxr=data_folder("samples"), size=64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", table_command(bodies, test, folder / "out"))
        restoration_table.main()
    return folder / "out"


def table_command(bodies: Path, test: Path, out: Path, *more: str) -> list[str]:
    pairs = ["--pairs", f"bicubic={bodies}", "--test", str(test), "--test-pairs", "2"]
    small = ["--networks", "flow", "--steps", "2", "--batch", "2", "--samples", "2"]
    return ["table", *pairs, *small, "--workers", "1", "--out", str(out), *more]


def test_a_table_is_reported_and_nothing_is_done_twice(
    bodies: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (out / "report.md").read_text()
    for row in ("input", "bicubic up-sampling", "flow, bicubic", "midpoint, 4 passes, 2 samples"):
        assert f"| {row}" in text or f": {row}" in text
    sheet = cv2.imread(str(out / "sheet.png"))
    assert sheet is not None
    assert sheet.std() > 20
    before = {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()}
    monkeypatch.setattr(sys, "argv", table_command(bodies, out.parent / "test.zarr", out))
    restoration_table.main()
    assert {path: path.stat().st_mtime_ns for path in (out / "results").iterdir()} == before
    assert (out / "report.md").read_text() == text


@pytest.mark.parametrize("grid", [64, 32])
def test_pairs_of_a_store_come_with_their_nodules(bodies: Path, grid: int) -> None:
    task = task_named("restoration")
    source = open_pairs(bodies, None, grid, task.window, task.input.convention, task)
    counts = []
    for index, row in enumerate(source.rows):
        labels = source.read(index).nodules
        assert labels is not None
        assert labels.shape == (grid, grid)
        assert 1 <= len(row.nodule_mm) <= 3
        assert labels.max() <= len(row.nodule_mm)
        assert all(4 <= diameter <= 30 for diameter in row.nodule_mm)
        counts.append(labels.max())
    assert max(counts) >= 1


def test_nodules_are_looked_for_in_all_kinds_of_picture(
    bodies: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkpoint,) = (out / "runs").glob("flow-*/best")
    how = ["--samples", "2", "--sampler-steps", "1", "--steps", "3", "--seeds", "1"]
    command = ["nodules", "--pairs", str(bodies), "--checkpoint", str(checkpoint), *how]
    monkeypatch.setattr(sys, "argv", [*command, "--out", str(tmp_path), "--workers", "1"])
    restoration_nodules.main()
    text = (tmp_path / "report.md").read_text()
    for kind in restoration_nodules.KINDS:
        assert f"| {kind} |" in text
    assert "restored less blurred" in text
    picture = cv2.imread(str(tmp_path / "recall.png"))
    assert picture is not None


def test_an_observer_looks_at_twins_of_the_same_bodies_alone(
    bodies: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkpoint,) = (out / "runs").glob("flow-*/best")
    twins, other = tmp_path / "twins.zarr", tmp_path / "other.zarr"
    for store, count in ((twins, 30), (other, 1)):
        dfsynth.simulate_pairs(
            store, count, task="restoration", origin="phantom", size=64, nodules=0.0
        )
    how = ["--samples", "2", "--sampler-steps", "1", "--seeds", "0", "--workers", "1"]
    command = ["nodules", "--pairs", str(bodies), "--checkpoint", str(checkpoint), *how]

    def run(store: Path) -> None:
        monkeypatch.setattr(sys, "argv", [*command, "--twins", str(store), "--out", str(tmp_path)])
        restoration_nodules.main()

    for store, said in ((bodies, "has nodules"), (other, "is not of the bodies")):
        with pytest.raises(UsageError, match=said):
            run(store)
    run(twins)
    text = (tmp_path / "report.md").read_text()
    assert text.count("| sharp |") == 4
    assert "sharp less blurred" in text
