"""Recipes parse, samples are what they say, and nothing packaged forbids commercial use."""

import csv
import tomllib
from pathlib import Path

import cv2
import pytest

from dfsynth.checkpoint import CascadeConfig, checkpoint_path, read_checkpoint
from dfsynth.resources import data_folder
from dfsynth.train import Phase, Weights

READER = "lung-reader"
"""The recipe of another kind of network; tests/simulate/cxr and tests/train read it."""
RECIPES = sorted(p for p in data_folder("recipes").glob("*.toml") if p.stem != READER)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_parse_and_fit_the_code(path: Path):
    recipe = tomllib.loads(path.read_text())
    config = CascadeConfig(recipe["stages"], tuple(recipe["widths"]), recipe["dropout"])
    Weights(**recipe["weights"])
    phases = [
        Phase(p["name"], tuple(p["stages"]), p["steps"], p["learning_rate"])
        for p in recipe["phase"]
    ]
    trained = {stage for phase in phases for stage in phase.stages}
    assert trained == set(range(config.stages))
    assert sum(recipe["split"].values()) < 1


def test_there_is_a_recipe():
    assert RECIPES


def test_samples_match_their_table():
    folder = data_folder("samples")
    with (folder / "samples.csv").open(newline="") as table:
        listed = [line["path"] for line in csv.DictReader(table)]
    assert sorted(listed) == sorted(path.name for path in folder.glob("*.png"))
    for name in listed:
        picture = cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
        assert picture is not None
        assert picture.std() > 20


def test_the_packaged_checkpoint_is_small_and_free_to_use():
    folder = checkpoint_path("default")
    files = read_checkpoint(folder)
    assert len(files.weights) < 16_000_000
    assert files.card.training_data
    for entry in files.card.training_data:
        licence = entry["licence"].upper().replace("-", " ").split()
        assert "NC" not in licence
    assert "0.9" in files.card.calibration
    assert "not for diagnosis" in files.card.intended_use.lower()
