"""Every example runs."""

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

import dfsynth
from dfsynth.resources import data_folder

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def run_example(monkeypatch, capfd) -> Callable[..., str]:
    """Runs an example as `python examples/NAME ARGUMENTS` does; gives what it prints."""

    def run(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capfd.readouterr().out

    return run


@pytest.mark.slow
def test_demo(run_example, tmp_path):
    printed = run_example("demo.py", tmp_path)
    image = cv2.imread(str(tmp_path / "demo.png"))
    assert str(tmp_path / "demo.png") in printed
    assert image is not None
    assert image.std() > 20, "the contact sheet is not blank"


def test_filter_and_load(run_example, tiny_checkpoint, tmp_path):
    samples = data_folder("samples") / "samples.csv"
    dfsynth.build(samples, tmp_path / "x.zarr", checkpoint=str(tiny_checkpoint), mc_samples=3)
    printed = run_example("filter_and_load.py", tmp_path / "x.zarr")
    assert "not for diagnosis" in printed
    assert "of 8 images kept" in printed


def test_generate_arrays(run_example):
    assert "dark-field (1, 256, 256)" in run_example("generate_arrays.py")


def test_simulate_pairs(run_example, tmp_path):
    printed = run_example("simulate_pairs.py", tmp_path / "pairs.zarr")
    assert "not for diagnosis" in printed
    assert "mean dark-field in the lung" in printed


@pytest.mark.slow
def test_train_and_evaluate(run_example, tmp_path):
    printed = run_example("train_and_evaluate.py", tmp_path)
    assert "not for diagnosis" in printed
    assert "intervals cover" in printed
    image = cv2.imread(str(tmp_path / "evaluation" / "evaluation.png"))
    assert image is not None
    assert image.std() > 20


def test_every_example_is_run_here():
    tested = Path(__file__).read_text()
    assert all(path.name in tested for path in EXAMPLES.glob("*.py"))
