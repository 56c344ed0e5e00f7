"""The cascade's steps, against weights that were recorded before other families could be trained.

`recorded_steps.safetensors` holds the first values of each tensor that `steps_of` gave then. On the
machine and with the PyTorch that recorded them the weights are equal bit for bit. Elsewhere sums
round otherwise, and Adam makes a step of each sign, so that what is compared is a mean.
"""

from pathlib import Path
from typing import Final

import pytest
import torch
from safetensors.torch import load_file
from support_training import toy_batch, toy_recipe
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Optimiser, Recipe
from dfsynth.train.trainer import Trainer

RECORDED: Final = Path(__file__).with_name("recorded_steps.safetensors")
RECORDED_VALUES: Final = 16
"""Of each tensor."""
RECIPES: Final[dict[str, Recipe]] = {
    "adversarial": toy_recipe(
        network=CascadeConfig(2, (8, 16), 0.2),
        loss=LossWeights(residual_box=3, adversarial=0.1, conditional=True),
    ),
    "batch_norm": toy_recipe(
        network=CascadeConfig(
            2, (8, 16), 0.0, False, "residual-unet", guidance="none", likelihood="point"
        ),
        loss=LossWeights(misfit="l2", adversarial=0.0, residual=0.0, lung=0.0),
        optimiser=Optimiser(name="adamw", weight_decay=0.1, clip_norm=0.0, ema_decay=0.0),
    ),
    "coarse": toy_recipe(network=CascadeConfig(2, (8, 16), 0.1, backbone="coarse")),
}


def steps_of(recipe: Recipe) -> dict[str, Tensor]:
    """What is kept of the generator and its average after three steps of each phase."""
    trainer = Trainer(recipe, torch.device("cpu"), "fp32", Processes(), 20)
    for phase in range(2):
        if phase:
            trainer.start_phase(phase)
        for seed in range(3):
            trainer.train_step(toy_batch(seed), trainer.step_rng())
    parts = ("network.", "average.", "place.")
    return {k: v for k, v in trainer.state().items() if k.startswith(parts)}


def first_values(tensor: Tensor) -> Tensor:
    return tensor.flatten()[:RECORDED_VALUES].double()


@pytest.mark.parametrize("name", list(RECIPES))
def test_steps_lead_to_the_recorded_weights(name: str) -> None:
    recorded = {
        key.removeprefix(f"{name}."): value
        for key, value in load_file(RECORDED).items()
        if key.startswith(f"{name}.")
    }
    found = steps_of(RECIPES[name])
    assert found.keys() == recorded.keys()
    for key, value in recorded.items():
        assert (first_values(found[key]) - value).abs().mean() < 1e-5, key


def test_a_step_more_or_less_would_be_seen() -> None:
    recipe = RECIPES["adversarial"]
    trainer = Trainer(recipe, torch.device("cpu"), "fp32", Processes(), 20)
    before = trainer.state()
    trainer.train_step(toy_batch(0), trainer.step_rng())
    after = trainer.state()
    moved = [(after[k] - before[k]).abs().mean() for k in before if k.startswith("network.")]
    assert max(moved) > 1e-3
