"""Recipes parse, samples are what they say, and nothing packaged forbids commercial use."""

import csv
import tomllib

import cv2

from dfsynth.checkpoint import checkpoint_path, read_checkpoint
from dfsynth.resources import data_folder
from dfsynth.train import read_recipe


def test_the_mixture_is_trained_by_recipes_of_one_network_and_leaves_a_listed_volume_out():
    folder = data_folder("recipes")
    mixture = tomllib.loads((folder / "mixture.toml").read_text())
    steps = [read_recipe(folder / f"{name}.toml") for name in mixture["steps"]]
    assert len({step.network for step in steps}) == 1
    assert steps[-1].size == mixture["grid"]
    assert mixture["left_out"] in mixture["volumes"]
    assert sum(mixture["split"].values()) < 1


def test_samples_match_their_table():
    folder = data_folder("samples")
    with (folder / "samples.csv").open(newline="") as table:
        listed = [line["path"] for line in csv.DictReader(table)]
    assert sorted(listed) == sorted(path.name for path in folder.glob("*.png"))
    for name in listed:
        image = cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED)
        assert image is not None
        assert image.std() > 20


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
