"""Toy recipes and batches."""

from pathlib import Path
from typing import Any

import torch
from noise_pairs import NoisePairs

from dfsynth.checkpoint import CascadeConfig
from dfsynth.datasets import PairBatch
from dfsynth.train.preparation import PreparedTraining
from dfsynth.train.recipe import LossWeights, Optimiser, Phase, Recipe, ValidationSettings

PHASES = (Phase("one", (1,), 3e-3, steps=6), Phase("joint", (1, 2), 1e-3, steps=4))


def toy_recipe(**changes: Any) -> Recipe:
    """Two narrow stages at 16 × 16, ten steps."""
    values: dict[str, Any] = {
        "name": "toy",
        "size": 16,
        "batch": 4,
        "phase": PHASES,
        "checkpoint_every": 3,
        "network": CascadeConfig(2, (8, 16)),
        "loss": LossWeights(residual_box=3),
        "optimiser": Optimiser(ema_decay=0.9),
        "validation": ValidationSettings(every_steps=5, most_pairs=4, panel_pairs=2),
    }
    return Recipe(**(values | changes))


def toy_batch(seed: int, pairs: int = 4, side: int = 16) -> PairBatch:
    """Noise, with a dark-field image that follows from the radiograph."""
    image = torch.rand(pairs, 1, side, side, generator=torch.Generator().manual_seed(seed))
    lung = (image > 0.5).float()
    return PairBatch(image, 0.3 * image + 0.1 * lung, None, lung, torch.ones_like(image))


def prepared(recipe: Recipe) -> PreparedTraining:
    """A training of `recipe` on pairs of noise, on the CPU."""
    source = NoisePairs(count=40, size=(recipe.size, recipe.size))
    indices = {"train": tuple(range(0, 40, 2)), "val": (1, 3)}
    return PreparedTraining(recipe, source, indices, torch.device("cpu"), "fp32")


def write_recipe(folder: Path, *lines: str) -> Path:
    """A recipe of two stages in a file, with more lines; a table of theirs replaces ours."""
    path = folder / "toy.toml"
    head = 'name = "toy"\nsize = 16\nbatch = 4\n'
    phase = '[[phase]]\nname = "one"\nstages = [1]\nsteps = 4\nlearning_rate = 1e-3\n'
    text = "\n".join(lines)
    if text.startswith("batch"):
        head = head.replace("batch = 4\n", "")
    if "[[phase]]" in text:
        phase = ""
    top, _, tables = text.partition("[") if not text.startswith("[") else ("", "", text[1:])
    tables = f"[{tables}\n" if tables else ""
    path.write_text(head + top + "\n" + tables + phase)
    return path
