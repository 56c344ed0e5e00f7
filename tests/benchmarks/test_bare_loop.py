"""The bare loops do the mathematics of our training, and both take their turns."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bare_loop import RECIPES, SETTLING, Alternation, Turn, alternate, figures, recipe_for
from bare_steps import BareTraining, DenoisingStep, bare_step
from support_training import prepared, toy_batch
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig, DenoiserConfig
from dfsynth.datasets import PairBatch
from dfsynth.models import Denoiser
from dfsynth.tasks import DEFAULT_TASK, task_named
from dfsynth.train import Recipe
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Optimiser
from dfsynth.train.trainer import Trainer

CPU = torch.device("cpu")
SIDE = 32
DENOISERS = ("diffusion-64", "flow-64")


def narrow(name: str) -> Recipe:
    """A recipe of the benchmark with few channels and nothing that is drawn or clipped."""
    recipe = recipe_for(name, task_named(DEFAULT_TASK), SIDE, 4, 3)
    network = recipe.network
    if isinstance(network, CascadeConfig):
        network = replace(network, widths=(8, 16), dropout=0.0)
    else:
        assert isinstance(network, DenoiserConfig)
        network = replace(network, widths=(8, 16, 32))
    return replace(recipe, network=network, optimiser=Optimiser(clip_norm=0.0, ema_decay=0.0))


def noisy_batch() -> PairBatch:
    """Targets on both sides of what networks predict at first."""
    batch = toy_batch(0, side=SIDE)
    noise = torch.randn(batch.target.shape, generator=torch.Generator().manual_seed(1))
    return replace(batch, target=batch.target + 0.3 * noise)


def unequal(network: nn.Module) -> None:
    """Later stages begin as copies of the first, so that nobody could tell them apart."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=generator))


def gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: p.grad for name, p in module.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in DENOISERS])
def test_gradients_are_those_of_our_training(name: str) -> None:
    recipe, batch = narrow(name), noisy_batch()
    trainer = Trainer(recipe, CPU, "fp32", Processes(), 4)
    unequal(trainer.network)
    bare = bare_step(recipe, batch, "fp32")
    assert isinstance(bare, BareTraining)
    bare.network.load_state_dict(trainer.network.state_dict())
    modules = [(trainer.network, bare.network)]
    if recipe.loss.adversarial:
        opponents = bare.opponents.modules
        opponents.load_state_dict(trainer.objective.discriminators.state_dict())
        modules.append((trainer.objective.discriminators, opponents))
    trainer.train_step(batch, np.random.default_rng(0))
    bare()
    for ours, theirs in modules:
        wanted, found = gradients(ours), gradients(theirs)
        # One width of all pixels beside a point estimate is ours alone, and moves nothing else.
        assert wanted.keys() - found.keys() <= {"stages.0.raw_alpha"}
        assert found
        for key, gradient in found.items():
            torch.testing.assert_close(gradient, wanted[key], rtol=1e-3, atol=1e-5, msg=key)


@pytest.mark.parametrize("name", DENOISERS)
def test_images_and_noise_are_mixed_as_in_our_training(name: str) -> None:
    batch = toy_batch(0, side=SIDE)
    bare = bare_step(narrow(name), batch, "fp32")
    assert isinstance(bare, DenoisingStep)
    assert isinstance(bare.network, Denoiser)
    drawn, noise = torch.tensor([0.0, 0.3, 0.7, 0.999]), torch.randn_like(batch.image)
    noisy, times, velocity = bare.mixture(drawn, noise)
    wanted = bare.network.training_pair(
        bare.network.normalise(batch.target, batch.image), noise, times
    )
    assert torch.equal(times, bare.network.times(drawn))
    torch.testing.assert_close((noisy, velocity), wanted)


@pytest.mark.parametrize("name", RECIPES)
def test_every_call_moves_weights(name: str) -> None:
    bare = bare_step(narrow(name), toy_batch(0, side=SIDE), "fp32")
    assert isinstance(bare, BareTraining)
    for _ in range(2):
        before = [p.detach().clone() for p in bare.network.parameters()]
        bare()
        after = list(bare.network.parameters())
        assert any(not torch.equal(b, a) for b, a in zip(before, after, strict=True))


def test_a_task_without_a_lung_needs_no_mask() -> None:
    recipe, batch = narrow("unet-l1"), toy_batch(0, side=SIDE)
    assert isinstance(recipe.network, CascadeConfig)
    recipe = replace(recipe, network=replace(recipe.network, lung_head=False))
    bare_step(recipe, PairBatch(batch.image, batch.target), "fp32")()


def test_values_in_a_unit_keep_their_appearance() -> None:
    recipe = recipe_for("unet-l1", task_named("dark-field-ct"), SIDE, 4, 3)
    assert not recipe.augmentation.changes_appearance
    assert recipe.augmentation.rotation_deg


def test_both_take_as_many_counted_steps_in_turn() -> None:
    calls = []
    training = prepared(
        replace(
            narrow("unet-l1"),
            phase=recipe_for(
                "unet-l1", task_named(DEFAULT_TASK), SIDE, 4, 2 * (SETTLING + 2)
            ).phase,
        )
    )
    turns = alternate(training, 2, 2**30)
    assert len(turns.ours) == len(turns.theirs) == 2
    assert all(turn.clock > 0 for turn in (*turns.ours, *turns.theirs))
    turns = Alternation(lambda: calls.append(0), CPU, 4)
    for step in range(1, 3 * (SETTLING + 4)):
        turns.advance(step, "only", 0.0)
    assert len(turns.ours) == len(turns.theirs) == 2
    assert len(calls) == 2 * (SETTLING + 4)


def test_ratios_are_of_pairs_by_their_time() -> None:
    turns = Alternation(lambda: None, CPU, 4)
    turns.ours += [Turn(2.0, 1.0), Turn(4.0, 2.0), Turn(8.0, 4.0)]
    turns.theirs += [Turn(1.0, 0.5), Turn(1.0, 1.0), Turn(6.0, 4.0)]
    assert figures(turns, 32) == {
        "pairs/s": 8.0,
        "bare pairs/s": 32.0,
        "ratio": [0.5, 0.25, 0.75],
        "ratio by processor time": [0.5, 0.5, 1.0],
    }
