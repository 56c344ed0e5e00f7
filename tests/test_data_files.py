"""Recipes parse, samples are what they say, and nothing packaged forbids commercial use."""

import csv
import tomllib

import cv2

from dfsynth.checkpoint import CascadeConfig, checkpoint_path, read_checkpoint
from dfsynth.resources import data_folder
from dfsynth.train import Phase, Weights


def test_the_first_checkpoint_s_recipe_fits_the_code():
    """Recipes of `dfsynth train` have tests of their own."""
    recipe = tomllib.loads((data_folder("recipes") / "first-light.toml").read_text())
    config = CascadeConfig(recipe["stages"], tuple(recipe["widths"]), recipe["dropout"])
    Weights(**recipe["weights"])
    phases = [
        Phase(p["name"], tuple(p["stages"]), p["steps"], p["learning_rate"])
        for p in recipe["phase"]
    ]
    trained = {stage for phase in phases for stage in phase.stages}
    assert trained == set(range(config.stages))
    assert sum(recipe["split"].values()) < 1


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
