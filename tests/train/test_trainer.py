"""Steps of training: what moves, what rests, what goes on exactly, what is survived."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from support_training import toy_batch, toy_recipe
from torch import nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.errors import DfsynthError, UsageError
from dfsynth.train.batch_fit import largest_batch
from dfsynth.train.processes import Processes, place_of_process
from dfsynth.train.recipe import LossWeights, Optimiser, Phase, Recipe
from dfsynth.train.schedule import learning_rate
from dfsynth.train.trainer import MOST_BAD_STEPS, StepReport, Trainer

CPU = torch.device("cpu")


def make_trainer(recipe: Recipe | None = None, precision: str = "fp32") -> Trainer:
    return Trainer(recipe or toy_recipe(), CPU, precision, Processes(), 20)


def step(trainer: Trainer, seed: int) -> StepReport:
    return trainer.train_step(toy_batch(seed), trainer.step_rng())


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in trainer.network.state_dict().items()}


def streak_recipe(**changes: Any) -> Recipe:
    """A network with batch norm in two phases, and L2."""
    network = CascadeConfig(
        2, (4, 8), 0.0, False, "residual-unet", guidance="none", likelihood="point"
    )
    loss = LossWeights(misfit="l2", adversarial=0.0, residual=0.0, lung=0.0)
    return toy_recipe(**({"network": network, "loss": loss} | changes))


def statistics(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: buffer.clone() for name, buffer in network.named_buffers()}


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    """The stages whose weights differ."""
    return {k.split(".")[1] for k in before if not torch.equal(before[k], after[k])}


@pytest.mark.parametrize("recipe", [toy_recipe(), streak_recipe()])
def test_a_restored_trainer_goes_on_to_the_same_weights(recipe: Recipe) -> None:
    steady = make_trainer(recipe)
    reports = [step(steady, n) for n in range(4)]
    kept = steady.state()
    reports += [step(steady, n) for n in range(4, 6)]
    restored = make_trainer(recipe)
    restored.restore(kept)
    assert [step(restored, n) for n in range(4, 6)] == reports[4:]
    for trainer in (steady, restored):
        trainer.start_phase(1)
        step(trainer, 6)
    one, other = steady.state(), restored.state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_the_likelihood_weighs_more_with_every_step_of_a_phase_and_less_again_in_the_next() -> None:
    """Of a network that hardly moves, on one batch: the terms are as their weights."""
    loss = LossWeights(fidelity=0.01, fidelity_end=1.0, absolute=1.0, adversarial=0.0)
    phases = tuple(Phase(name, (1, 2), 1e-12, 4) for name in "ab")
    rising = make_trainer(toy_recipe(loss=loss, phase=phases))
    steady = make_trainer(toy_recipe(loss=replace(loss, fidelity_end=None), phase=phases))
    for phase in range(2):
        rising.start_phase(phase)
        steady.start_phase(phase)
        for taken in range(4):
            found, plain = step(rising, 0).terms, step(steady, 0).terms
            ratio = found["fidelity"] / plain["fidelity"]
            assert ratio == pytest.approx(100 ** (taken / 4), rel=1e-3)
            assert found["absolute"] == pytest.approx(plain["absolute"], rel=1e-3)


def test_a_run_that_stops_amid_a_rise_goes_on_to_the_same_weights() -> None:
    loss = LossWeights(fidelity=0.01, fidelity_end=1.0, absolute=1.0)
    recipe = toy_recipe(loss=loss)
    steady, restored = make_trainer(recipe), make_trainer(recipe)
    step(steady, 0)
    restored.restore(steady.state())
    assert step(restored, 1) == step(steady, 1)
    one, other = steady.state(), restored.state()
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_a_trainer_restored_within_a_later_phase_goes_on_too() -> None:
    steady = make_trainer()
    step(steady, 0)
    steady.start_phase(1)
    step(steady, 1)
    restored = make_trainer()
    restored.restore(steady.state())
    assert step(restored, 2) == step(steady, 2)
    one, other = steady.state(), restored.state()
    assert all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("recipe", [toy_recipe(), streak_recipe()])
def test_only_the_stages_of_a_phase_are_trained(recipe: Recipe) -> None:
    trainer = make_trainer(recipe)
    before = weights(trainer)
    step(trainer, 0)
    assert moved(before, weights(trainer)) == {"0"}
    trainer.start_phase(1)
    before = weights(trainer)
    step(trainer, 1)
    assert moved(before, weights(trainer)) == {"0", "1"}


def test_later_phases_start_with_the_average() -> None:
    trainer = make_trainer()
    for seed in range(6):
        step(trainer, seed)
    average = {k: v.clone() for k, v in trainer.averaged.state_dict().items()}
    assert moved(average, weights(trainer)) == {"0"}
    trainer.start_phase(1)
    assert not moved(average, weights(trainer))


def test_without_an_average_the_network_itself_is_kept() -> None:
    trainer = make_trainer(toy_recipe(optimiser=Optimiser(ema_decay=0.0)))
    step(trainer, 0)
    assert trainer.averaged is trainer.network


@pytest.mark.parametrize(
    "recipe",
    [
        toy_recipe(loss=LossWeights(residual_box=3, adversarial=0.01, conditional=True)),
        toy_recipe(loss=LossWeights(adversarial=0.0, residual=0.0, lung=0.0)),
        toy_recipe(
            network=CascadeConfig(1, (8, 16), likelihood="point"),
            phase=(Phase("only", (1,), 1e-3, steps=3),),
        ),
        toy_recipe(network=CascadeConfig(2, (8, 16), guidance="concat", likelihood="laplace")),
        toy_recipe(network=CascadeConfig(2, (8, 16), guidance="none", likelihood="gaussian")),
        toy_recipe(optimiser=Optimiser(name="adamw", weight_decay=0.1, schedule="step")),
        streak_recipe(),
    ],
)
def test_every_choice_can_be_trained(recipe: Recipe) -> None:
    trainer = make_trainer(recipe)
    before = weights(trainer)
    report = step(trainer, 0)
    assert report.finite
    assert all(math.isfinite(value) for value in report.terms.values())
    assert moved(before, weights(trainer)) == {"0"}
    expected = {"fidelity"} | {
        name for name in ("adversarial", "residual", "lung") if getattr(recipe.loss, name)
    }
    assert set(report.terms) == expected


@pytest.mark.parametrize("make", [toy_recipe, streak_recipe])
def test_the_loss_falls(make: Callable[..., Recipe]) -> None:
    trainer = make_trainer(make(phase=(Phase("one", (1,), 1e-2, steps=60),)))
    terms = [sum(step(trainer, 0).terms.values()) for _ in range(60)]
    assert terms[-1] < terms[0] - 0.5


def test_a_batch_without_lung_masks_trains_the_rest() -> None:
    trainer, batch = make_trainer(), toy_batch(0)
    bare = type(batch)(batch.image, batch.target)
    assert "lung" not in trainer.train_step(bare, trainer.step_rng()).terms


@pytest.mark.parametrize("recipe", [toy_recipe(), streak_recipe()])
@pytest.mark.parametrize("bad", ["image", "target"])
def test_a_bad_batch_moves_nothing_and_many_end_the_run(recipe: Recipe, bad: str) -> None:
    trainer = make_trainer(recipe)
    step(trainer, 0)
    before, batch = trainer.state(), toy_batch(1)
    getattr(batch, bad)[0, 0, 0, 0] = float("nan")
    report = trainer.train_step(batch, trainer.step_rng())
    assert not report.finite
    after = trainer.state()
    counted = {"place.step", "place.steps_taken", "place.bad_steps"}
    assert {k for k in before if not torch.equal(before[k], after[k])} == counted
    assert step(trainer, 2).finite
    for _ in range(MOST_BAD_STEPS - 1):
        trainer.train_step(batch, trainer.step_rng())
    with pytest.raises(DfsynthError, match="learning_rate"):
        trainer.train_step(batch, trainer.step_rng())


@pytest.mark.parametrize("make", [toy_recipe, streak_recipe])
@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_moves_nothing(
    clip_norm: float, make: Callable[..., Recipe]
) -> None:
    """The loss is finite: an inf in one weight's gradient alone would soon be in all weights."""
    trainer = make_trainer(make(optimiser=Optimiser(clip_norm=clip_norm)))
    step(trainer, 0)
    before = trainer.state()
    weight = next(p for p in trainer.network.parameters() if p.requires_grad)
    hook = weight.register_hook(lambda gradient: gradient * torch.inf)
    assert not step(trainer, 1).finite
    assert not trainer.is_sound
    after = trainer.state()
    counted = {"place.step", "place.steps_taken", "place.bad_steps"}
    assert {k for k in before if not torch.equal(before[k], after[k])} == counted
    hook.remove()
    assert step(trainer, 2).finite
    assert trainer.is_sound


@pytest.mark.parametrize("factor", [1e25, math.inf])
def test_in_fp16_a_gradient_that_cannot_be_used_moves_nothing(factor: float) -> None:
    """One that scaling made too large is tried again with less, which is no failure."""
    trainer = make_trainer(toy_recipe(optimiser=Optimiser(clip_norm=0.0)), "fp16")
    for n in range(3):
        # The first scales are too large.
        step(trainer, n)
    weight = next(p for p in trainer.network.parameters() if p.requires_grad)
    weight.register_hook(lambda gradient: gradient * factor)
    before = trainer.state()
    assert step(trainer, 3).finite == math.isinf(factor)
    after = trainer.state()
    one, other = (
        {k: v for k, v in state.items() if k.startswith(("network", "optimiser"))}
        for state in (before, after)
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[k], other[k]) for k in one)
    scales = [float(state["scaler.scale"]) for state in (before, after)]
    assert (scales[1] < scales[0]) == math.isinf(factor)


def test_a_gradient_that_is_not_finite_moves_no_discriminator() -> None:
    trainer = make_trainer(replace(toy_recipe(), loss=LossWeights(adversarial=0.1, residual_box=3)))
    weight = next(trainer.objective.discriminators.parameters())
    before = {k: v.clone() for k, v in trainer.objective.discriminators.state_dict().items()}
    weight.requires_grad_(True).register_hook(lambda gradient: gradient * torch.nan)
    assert not step(trainer, 0).finite
    assert all(
        torch.equal(before[k], v) for k, v in trainer.objective.discriminators.state_dict().items()
    )
    assert all(torch.isfinite(v).all() for v in trainer.state().values())


@pytest.mark.parametrize("make", [toy_recipe, streak_recipe])
def test_a_step_that_is_tried_leaves_nothing_behind(make: Callable[..., Recipe]) -> None:
    trainer = make_trainer(make(loss=LossWeights(adversarial=0.1, residual_box=3)))
    before = trainer.state()
    trainer.try_step(toy_batch(0), trainer.step_rng())
    after = trainer.state()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert all(
        p.grad is None
        for m in (trainer.network, trainer.objective.discriminators)
        for p in m.parameters()
    )
    assert trainer.moments_to_come > 0
    step(trainer, 0)
    assert trainer.moments_to_come == 0


def test_batch_norm_follows_the_stages_that_are_trained() -> None:
    trainer = make_trainer(streak_recipe(phase=(Phase("second", (2,), 1e-3, steps=3),)))
    before = statistics(trainer.network)
    step(trainer, 0)
    after = statistics(trainer.network)
    changed = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"1"}
    trainer.objective.predict(trainer.network, 3 + toy_batch(1).image)
    validated = statistics(trainer.network)
    assert all(torch.equal(after[name], validated[name]) for name in after)
    step(trainer, 1)
    moved_on = statistics(trainer.network)
    assert any(not torch.equal(after[name], moved_on[name]) for name in after)


def test_statistics_are_averaged_with_the_weights_that_they_belong_to() -> None:
    trainer = make_trainer(streak_recipe())
    name = "stages.0.stem.1.running_mean"
    step(trainer, 0)
    first = statistics(trainer.network)[name]
    step(trainer, 1)
    second = statistics(trainer.network)[name]
    kept = min(trainer.recipe.optimiser.ema_decay, 2 / 11)
    found = statistics(trainer.averaged)[name]
    torch.testing.assert_close(found, kept * first + (1 - kept) * second)
    assert not torch.equal(first, second)


def test_images_are_validated_alone_or_together_and_at_any_size() -> None:
    trainer = make_trainer(streak_recipe())
    step(trainer, 0)
    image = toy_batch(1, side=19).image
    [*_, together] = trainer.predict(image)
    [*_, alone] = trainer.predict(image[2:3])
    assert together.mean.shape == together.sigma.shape == image.shape
    torch.testing.assert_close(together.mean[2:3], alone.mean)


def test_mixed_precision_stays_close() -> None:
    exact, mixed = step(make_trainer(), 0), step(make_trainer(precision="bf16"), 0)
    assert mixed.terms["fidelity"] == pytest.approx(exact.terms["fidelity"], abs=0.05)


def test_rates_follow_their_schedule() -> None:
    phase = Phase("x", (1,), 1.0, steps=100)
    cosine = [learning_rate(Optimiser(), phase, n, 10) for n in range(100)]
    assert cosine[0] == 1.0
    assert cosine == sorted(cosine, reverse=True)
    assert cosine[50] == pytest.approx(0.5)
    steps = Optimiser(schedule="step", schedule_epochs=3, schedule_gamma=0.9)
    assert learning_rate(steps, phase, 29, 10) == 1.0
    assert learning_rate(steps, phase, 30, 10) == pytest.approx(0.9)
    risen = Optimiser(schedule="constant", warm_up_steps=9)
    assert learning_rate(risen, phase, 0, 10) == pytest.approx(0.1)
    assert learning_rate(risen, phase, 50, 10) == 1.0


@pytest.mark.parametrize("limit", [0, 1, 5, 12, 99])
def test_the_largest_batch_that_fits_is_found(limit: int) -> None:
    def attempt(batch: int) -> None:
        if batch > limit:
            raise torch.OutOfMemoryError

    assert largest_batch(attempt, 16) == min(limit, 16)


def test_a_process_without_a_gpu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert place_of_process(torch.device("cuda")) == torch.device("cuda", 1)
    assert place_of_process(CPU) == CPU
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match="--nproc-per-node 2"):
        place_of_process(torch.device("cuda"))
    monkeypatch.setenv("WORLD_SIZE", "four")
    with pytest.raises(UsageError, match="WORLD_SIZE=four is no whole number"):
        place_of_process(torch.device("cuda"))


def test_a_batch_is_split_evenly_or_refused() -> None:
    Processes(0, 2).check_batch(8)
    with pytest.raises(UsageError, match="use 6"):
        Processes(0, 3).check_batch(8)
