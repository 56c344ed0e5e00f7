"""The packaged baselines, made small: whole runs whose checkpoints are used like any other."""

import re
from pathlib import Path

import numpy as np
import pytest
from pair_files import write_pair_folders

import dfsynth
from dfsynth.checkpoint import CascadeConfig, checkpoint_path, read_checkpoint
from dfsynth.options import TrainOptions
from dfsynth.progress import SilentTraining
from dfsynth.train import recipe_path, run_training

SMALL = (
    (r"size = \d+", "size = 32"),
    (r"batch = \d+", "batch = 4"),
    (r"\nwidths = \[[^]]*\]", "\nwidths = [8, 16]"),
    (r"steps = \d+", "steps = 6"),
)
BASELINES = ("pan", "medgan", "heteroscedastic-unet", "quantile-unet")
TERMS = {
    "pan": {"width", "adversarial", "perceptual"},
    "medgan": {"fidelity", "adversarial", "perceptual", "style"},
    "heteroscedastic-unet": {"fidelity"},
    "quantile-unet": {"fidelity"},
}


def small_recipe(name: str, folder: Path) -> Path:
    """The recipe with a narrow network, small images and few steps."""
    text = recipe_path(name).read_text(encoding="utf-8")
    for pattern, words in SMALL:
        text, count = re.subn(pattern, words, text, count=1)
        assert count == 1, pattern
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_pair_folders(tmp_path_factory.mktemp("pairs"), 10)


def train(name: str, folders: tuple[Path, Path], folder: Path, member: int | None = None) -> Path:
    out = folder / f"run-{member}"
    options = TrainOptions(
        str(small_recipe(name, folder)),
        folders[0],
        out,
        targets=folders[1],
        member=member,
        precision="fp32",
    )
    report = run_training(options, SilentTraining())
    assert (report.steps, report.bad_steps) == (6, 0)
    return out


@pytest.mark.parametrize("name", BASELINES)
def test_a_run_makes_a_checkpoint_that_builds_evaluates_shows_and_reports(
    name: str, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    run = train(name, folders, tmp_path)
    first = (run / "metrics.jsonl").read_text().splitlines()[0]
    assert all(f'"{term}"' in first for term in TERMS[name])
    card = read_checkpoint(checkpoint_path(str(run / "best"))).card
    assert card.calibration
    inputs, targets = folders
    report = dfsynth.build(
        inputs,
        tmp_path / "x.zarr",
        checkpoint=str(run / "best"),
        size=32,
        dtype="float32",
        precision="fp32",
    )
    assert (report.ok, report.failed) == (10, 0)
    store = dfsynth.open_store(tmp_path / "x.zarr")
    aleatoric = store.read("aleatoric", 0)
    assert aleatoric.min() > 0
    assert isinstance(card.arguments, CascadeConfig)
    spread = float(aleatoric.max() - aleatoric.min())
    assert (spread < 1e-6) == (card.arguments.likelihood == "point")
    assert not store.read("epistemic", 0).any()
    found = dfsynth.evaluate_checkpoint(
        run / "best", inputs, targets=targets, split="all", precision="fp32"
    )
    assert (found.images, len(found.stages)) == (10, 1)
    dfsynth.draw_contact_sheet(tmp_path / "x.zarr", out=tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 0
    dfsynth.write_report(tmp_path / "x.zarr", out=tmp_path / "report")
    assert (tmp_path / "report" / "index.html").is_file()


def test_members_of_a_baseline_are_a_deep_ensemble(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    runs = [train("heteroscedastic-unet", folders, tmp_path, member) for member in range(2)]
    dfsynth.join_members([run / "best" for run in runs], tmp_path / "joined")
    images = np.random.default_rng(0).random((2, 32, 32), np.float32)
    maps = dfsynth.load_generator(str(tmp_path / "joined"), precision="fp32")(images)
    assert maps.epistemic.max() > 1e-3
