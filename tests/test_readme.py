"""Every block of the README runs, in order, in one folder."""

import re
import shlex
import shutil
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest

from dfsynth.inference import CascadeGenerator
from dfsynth.resources import data_folder
from dfsynth.train import Recipe, read_recipe

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A working folder with `radiographs/` and a small `ChestX-ray14/` in the official layout."""
    samples = data_folder("samples")
    radiographs = tmp_path / "radiographs"
    radiographs.mkdir()
    for image in sorted(samples.glob("nih_*.png"))[:3]:
        shutil.copy(image, radiographs)
    nih = ROOT / "tests" / "data" / "nih"
    images = tmp_path / "ChestX-ray14" / "images_001" / "images"
    images.mkdir(parents=True)
    for image in sorted(nih.glob("*.png"))[:2]:
        shutil.copy(image, images)
    shutil.copy(nih / "Data_Entry_2017_v2020.csv", tmp_path / "ChestX-ray14")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def few_steps(monkeypatch) -> None:
    """Batches that are not filled up, and a training of a few steps: minutes become seconds."""

    def read_shortened(path: Path) -> Recipe:
        recipe = read_recipe(path)
        return replace(recipe, phase=tuple(replace(phase, steps=4) for phase in recipe.phase))

    monkeypatch.setattr(CascadeGenerator, "auto_batch_size", lambda _generator, _grid: 1)
    monkeypatch.setattr("dfsynth.train.preparation.read_recipe", read_shortened)


@pytest.mark.usefixtures("few_steps")
def test_every_block_runs(folder, run_cli):
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    kinds = ["console", "console", "python", "console", "console", "console", "python"]
    assert [kind for kind, _ in blocks] == kinds
    for kind, text in blocks:
        if kind == "python":
            exec(compile(text, "README.md", "exec"), {})
            continue
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "dfsynth"
            status, _, err = run_cli(*arguments)
            assert status == 0, f"{line}: {err}"
    assert (folder / "sheet.png").stat().st_size > 10_000
    assert (folder / "worst.png").stat().st_size > 10_000
    assert (folder / "kept.parquet").exists()
    assert (folder / "pairs.png").stat().st_size > 10_000
    assert (folder / "slices.png").stat().st_size > 10_000
    assert (folder / "runs/trial/evaluation/evaluation.png").stat().st_size > 10_000


def test_the_first_screen_names_both_commands():
    first_screen = (ROOT / "README.md").read_text().splitlines()[:40]
    assert any("make demo" in line for line in first_screen)
    assert any("make test" in line for line in first_screen)


def test_every_file_that_the_documents_name_is_there():
    """`NAME` stands for a name of the reader's choice: of such a path the folder is looked for."""
    documents = [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "findings/README.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
    named = re.compile(
        r"\b((?:docs|tests|training|examples|benchmarks|manifests|dfsynth|scripts|findings)"
        r"/[\w./-]+\w)"
    )
    for document in documents:
        for path in named.findall(document.read_text()):
            known = takewhile(lambda part: "NAME" not in part, Path(path).parts)
            assert ROOT.joinpath(*known).exists(), f"{document.name} names {path}"
