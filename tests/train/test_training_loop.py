"""The progressive schedule: what is trained, what is frozen, and what a seed fixes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade, gennorm_nll
from dfsynth.train import CascadeTrainer, Example, Phase, Weights, residual_l1
from dfsynth.train.loop import Batch, stack

MakeExamples = Callable[..., list[Example]]
State = dict[str, Tensor]


def new_cascade(stages: int = 3, seed: int = 0) -> Cascade:
    torch.manual_seed(seed)
    return Cascade(CascadeConfig(stages, (8, 16)))


def trainer_of(cascade: Cascade, seed: int = 1, **options: object) -> CascadeTrainer:
    return CascadeTrainer(cascade, Weights(residual_box=5), seed, **options)


def state_of(cascade: Cascade) -> State:
    return {name: weight.clone() for name, weight in cascade.state_dict().items()}


def endless(batch: Batch) -> Iterator[Batch]:
    return repeat(batch)


def quiet(_phase: str, _step: int, _loss: float) -> None:
    pass


def test_examples_are_stacked_in_order(make_examples: MakeExamples) -> None:
    examples = make_examples(3)
    batch = stack(examples)
    for name in ("image", "dark_field", "lung", "lung_weight"):
        tensor = getattr(batch, name)
        assert tensor.shape == (3, 1, 32, 32)
        assert tensor.dtype == torch.float32
        for row, example in enumerate(examples):
            assert np.array_equal(tensor[row, 0].numpy(), getattr(example, name))


@pytest.mark.parametrize("stages", [(0,), (1,), (2,), (0, 1, 2)])
def test_only_the_phases_stages_change(
    make_examples: MakeExamples, stages: tuple[int, ...]
) -> None:
    cascade = new_cascade()
    trainer = trainer_of(cascade)
    before = state_of(cascade)
    judges = {n: p.clone() for n, p in trainer.discriminators.state_dict().items()}
    trainer.run(Phase("x", stages, 2, 1e-3), endless(stack(make_examples(2))), quiet)
    for name, weight in cascade.state_dict().items():
        if int(name.split(".")[1]) not in stages:
            assert torch.equal(weight, before[name]), name
    for stage in range(3):
        changed = [
            not torch.equal(weight, before[name])
            for name, weight in cascade.state_dict().items()
            if name.startswith(f"stages.{stage}.")
        ]
        assert any(changed) == (stage in stages)
        # Frozen stages cost no backward pass.
        needs = {p.requires_grad for p in cascade.stage(stage).parameters()}
        assert needs == {stage in stages}
        judged = [
            not torch.equal(weight, judges[name])
            for name, weight in trainer.discriminators.state_dict().items()
            if name.startswith(f"{stage}.")
        ]
        assert any(judged) == (stage in stages)


def run_once(examples: list[Example], seed: int, noise: int) -> tuple[State, list[float]]:
    cascade = new_cascade(2)
    # What else happened in the process must not matter.
    torch.manual_seed(noise)
    trainer = trainer_of(cascade, seed)
    losses: list[float] = []
    trainer.run(
        Phase("x", (0, 1), 3, 1e-3),
        endless(stack(examples)),
        lambda _phase, _step, loss: losses.append(loss),
    )
    return state_of(cascade), losses


def test_a_seed_fixes_the_weights(make_examples: MakeExamples) -> None:
    examples = make_examples(2)
    first, losses = run_once(examples, seed=1, noise=0)
    second, same_losses = run_once(examples, seed=1, noise=99)
    assert losses == same_losses
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name
    _, other_losses = run_once(examples, seed=2, noise=0)
    assert losses != other_losses


def test_a_trainer_leaves_the_global_stream_alone() -> None:
    cascade = new_cascade(1)
    before = torch.get_rng_state()
    trainer_of(cascade)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_loss_is_the_sum_of_its_terms(make_examples: MakeExamples) -> None:
    """Weights of the paper's form: fidelity, adversarial, residual, and the lung's own."""
    batch = stack(make_examples(2))
    half = batch.lung_weight.clone()
    half[:, :, :, ::2] = 0
    batch = replace(batch, lung_weight=half)
    weights = Weights(fidelity=0.7, adversarial=0.3, residual=0.4, residual_box=5, lung=0.6)
    trainer = CascadeTrainer(new_cascade(1), weights, 0)
    logged: list[float] = []
    masks_of = torch.Generator().set_state(trainer.random.get_state())
    keep = 1 - trainer.cascade.config.dropout
    shape = (2, trainer.cascade.mask_width)
    masks = (torch.rand(shape, generator=masks_of) < keep).float() / keep
    with torch.no_grad():
        found = trainer.cascade(batch.image, masks)[0]
        nll = gennorm_nll(found.mean, found.alpha, found.beta, batch.dark_field).mean()
        judged = trainer.discriminators[0](found.mean)
        logit = found.lung_logit
        entropy = -(batch.lung * F.logsigmoid(logit) + (1 - batch.lung) * F.logsigmoid(-logit))
        expected = (
            0.7 * nll
            + 0.3 * (judged - 1).square().mean()
            + 0.4 * residual_l1(found.mean, batch.dark_field, 5)
            + 0.6 * (entropy * half).mean()
        )
    trainer.run(Phase("x", (0,), 1, 1e-3), endless(batch), lambda _p, _s, loss: logged.append(loss))
    assert logged == [pytest.approx(float(expected), rel=1e-5)]


def test_the_average_follows_the_weights(make_examples: MakeExamples) -> None:
    trainer = trainer_of(new_cascade(1), ema_decay=0.75)
    batch = stack(make_examples(2))
    expected: State = {}
    for step in range(3):
        trainer.run(Phase("x", (0,), 1, 1e-2), endless(batch), quiet)
        now = state_of(trainer.cascade)
        expected = {n: 0.75 * expected[n] + 0.25 * w for n, w in now.items()} if step else dict(now)
    averaged = trainer.average.module.state_dict()
    for name, weight in expected.items():
        torch.testing.assert_close(averaged[name], weight, rtol=1e-5, atol=1e-7)


def test_steps_are_logged_with_their_phase(make_examples: MakeExamples) -> None:
    seen: list[tuple[str, int]] = []
    trainer_of(new_cascade(1)).run(
        Phase("first", (0,), 3, 1e-3),
        endless(stack(make_examples(1))),
        lambda phase, step, _loss: seen.append((phase, step)),
    )
    assert seen == [("first", 0), ("first", 1), ("first", 2)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_ends_the_phase(make_examples: MakeExamples, value: float) -> None:
    batch = stack(make_examples(1))
    batch.dark_field[0, 0, 3, 3] = value
    cascade = new_cascade(1)
    before = state_of(cascade)
    with pytest.raises(FloatingPointError, match=r"phase broken is (nan|inf) at step 0"):
        trainer_of(cascade).run(Phase("broken", (0,), 2, 1e-3), endless(batch), quiet)
    for name, weight in cascade.state_dict().items():
        assert torch.equal(weight, before[name]), name


@pytest.mark.parametrize("autocast", [None, torch.bfloat16])
def test_a_phase_learns_a_small_problem(
    make_examples: MakeExamples, autocast: torch.dtype | None
) -> None:
    examples = make_examples(4)
    cascade = new_cascade(1)
    losses: list[float] = []
    trainer = trainer_of(cascade, autocast=autocast)
    trainer.run(
        Phase("x", (0,), 60, 5e-3),
        endless(stack(examples)),
        lambda _p, _s, loss: losses.append(loss),
    )
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 1.0
    clean = torch.from_numpy(np.stack([e.dark_field_clean for e in examples]))[:, None]
    with torch.no_grad():
        found = cascade(stack(examples).image, torch.ones(4, cascade.mask_width))[0]
    assert float((found.mean - clean).square().mean()) < 0.3 * float(clean.var())
    # What it says of its own error is not far off.
    error = float((found.mean - stack(examples).dark_field).square().mean().sqrt())
    assert 0.3 < float(found.sigma.mean()) / error < 3


def test_later_stages_refine_what_earlier_ones_said(make_examples: MakeExamples) -> None:
    """Stage 2 trained on a frozen stage 1 lowers the loss below that of stage 1 alone."""
    batch = stack(make_examples(4))
    cascade = new_cascade(2)
    trainer = trainer_of(cascade)
    trainer.run(Phase("a", (0,), 25, 5e-3), endless(batch), quiet)
    losses: list[float] = []
    trainer.run(
        Phase("b", (1,), 30, 5e-3), endless(batch), lambda _p, _s, loss: losses.append(loss)
    )
    assert np.mean(losses[-5:]) < np.mean(losses[:3])
