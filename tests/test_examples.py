"""Every example runs."""

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_example(name: str, *arguments: object) -> str:
    ended = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_demo_then_filter_and_load(tmp_path):
    told = run_example("demo.py", tmp_path)
    picture = cv2.imread(str(tmp_path / "demo.png"))
    assert str(tmp_path / "demo.png") in told
    assert picture is not None
    assert picture.std() > 20, "the contact sheet is not blank"
    told = run_example("filter_and_load.py", tmp_path / "demo.zarr")
    assert "not for diagnosis" in told


def test_generate_arrays():
    assert "dark-field (1, 256, 256)" in run_example("generate_arrays.py")


def test_simulate_pairs(tmp_path):
    told = run_example("simulate_pairs.py", tmp_path / "pairs.zarr")
    assert "not for diagnosis" in told
    assert "mean dark-field in the lung" in told


@pytest.mark.slow
def test_train_and_evaluate(tmp_path):
    told = run_example("train_and_evaluate.py", tmp_path)
    assert "not for diagnosis" in told
    assert "intervals cover" in told
    picture = cv2.imread(str(tmp_path / "evaluation" / "evaluation.png"))
    assert picture is not None
    assert picture.std() > 20


def test_every_example_is_run_here():
    tested = Path(__file__).read_text()
    assert all(path.name in tested for path in EXAMPLES.glob("*.py"))
