"""Losses on a discriminator's features: what they are, and how they train both sides."""

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from support_training import toy_batch, toy_recipe
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig
from dfsynth.errors import UsageError
from dfsynth.models import Prediction
from dfsynth.models.discriminator import PatchDiscriminator, least_side
from dfsynth.train import stored_keys
from dfsynth.train.cascade_objective import CascadeObjective
from dfsynth.train.feature_losses import gram, margin_loss, perceptual_distance, style_distance
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Phase
from dfsynth.train.terms import discriminator_loss, generator_terms
from dfsynth.train.trainer import Trainer

PAN = LossWeights(
    fidelity=0.0,
    residual=0.0,
    lung=0.0,
    adversarial=1.0,
    discriminator=(8, 16),
    perceptual=(5.0, 1.5),
    margin=3.0,
)
NETWORK = CascadeConfig(1, (8, 16), 0.0, False, guidance="none", likelihood="point")
ONLY = (Phase("only", (1,), 1e-3, steps=10),)


def features(seed: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 3, 4, 4, generator=random), torch.randn(2, 5, 2, 2, generator=random)]


def drawn_discriminator() -> PatchDiscriminator:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return PatchDiscriminator((8, 16))


def point(mean: Tensor) -> Prediction:
    return Prediction(mean, torch.full_like(mean, 0.1), torch.ones_like(mean), None)


def test_the_perceptual_distance_weighs_layers_one_by_one() -> None:
    one, two = features(0), features(1)
    fine, coarse = ((a - b).abs().mean() for a, b in zip(one, two, strict=True))
    torch.testing.assert_close(perceptual_distance(one, two, (5.0, 1.5)), 5 * fine + 1.5 * coarse)
    torch.testing.assert_close(perceptual_distance(one, two, (5.0,)), 5 * fine)
    assert perceptual_distance(one, one, (5.0, 1.5)) == 0


def test_beyond_the_margin_a_discriminator_feels_nothing() -> None:
    for distance, loss, slope in ((1.0, 2.0, -1.0), (3.5, 0.0, 0.0)):
        leaf = torch.tensor(distance, requires_grad=True)
        found = margin_loss(leaf, 3.0)
        found.backward()
        assert (float(found.detach()), float(leaf.grad or 0)) == (loss, slope)


def test_style_is_of_channels_together_and_not_of_places() -> None:
    one, two = features(0), features(1)
    moved = [f.roll(1, dims=-1) for f in one]
    assert float(style_distance(one, moved)) == pytest.approx(0, abs=1e-10)
    assert perceptual_distance(one, moved, (1.0, 1.0)) > 0.1
    assert style_distance(one, two) > 0
    by_hand = sum(
        ((gram(a) - gram(b)) ** 2).sum() / 2 / (4 * a.shape[1] ** 2)
        for a, b in zip(one, two, strict=True)
    )
    torch.testing.assert_close(style_distance(one, two), by_hand)


def test_a_gram_matrix_holds_mean_products_of_channels() -> None:
    flat = features(0)[0].flatten(2)
    expected = torch.einsum("nap,nbp->nab", flat, flat) / (3 * 16)
    torch.testing.assert_close(gram(features(0)[0]), expected)


def test_without_fidelity_the_mean_follows_the_features_and_the_width_its_errors() -> None:
    batch, discriminator = toy_batch(0), drawn_discriminator().requires_grad_(False)
    mean = torch.zeros_like(batch.target, requires_grad=True)
    said = replace(point(mean), alpha=torch.full_like(mean, 0.1).requires_grad_(True))
    terms = generator_terms(said, batch, PAN, "point", discriminator)
    assert set(terms) == {"width", "adversarial", "perceptual"}
    [of_mean] = torch.autograd.grad(terms["perceptual"], mean, retain_graph=True)
    assert of_mean.abs().min() > 0
    [of_alpha] = torch.autograd.grad(terms["width"], said.alpha)
    assert of_alpha.abs().max() > 0
    at_target = generator_terms(point(batch.target), batch, PAN, "point", discriminator)
    assert float(at_target["perceptual"]) == 0


def test_features_say_how_bright_an_image_is() -> None:
    """No pixel is compared, and yet a level that is off is brought back."""
    batch, discriminator = toy_batch(0), drawn_discriminator().requires_grad_(False)
    offset = torch.full((1, 1, 1, 1), 0.2, requires_grad=True)
    optimiser = torch.optim.Adam([offset], 0.01)
    for _ in range(15):
        optimiser.zero_grad()
        terms = generator_terms(point(batch.target + offset), batch, PAN, "point", discriminator)
        terms["perceptual"].backward()
        optimiser.step()
    assert float(offset.detach().abs()) < 0.1


def test_the_margin_stands_in_the_discriminators_loss_until_features_differ() -> None:
    batch, discriminator = toy_batch(0), drawn_discriminator()
    plain = replace(PAN, margin=0.0)
    at_target = [
        discriminator_loss([batch.target], [discriminator], batch, w) for w in (plain, PAN)
    ]
    torch.testing.assert_close(at_target[1] - at_target[0], torch.tensor(PAN.margin))
    far = [discriminator_loss([batch.target + 50], [discriminator], batch, w) for w in (plain, PAN)]
    torch.testing.assert_close(far[0], far[1])


def test_a_training_step_has_all_terms_and_moves_both_networks() -> None:
    recipe = toy_recipe(network=NETWORK, loss=replace(PAN, style=1.0), phase=ONLY)
    trainer = Trainer(recipe, torch.device("cpu"), "fp32", Processes(), 20)
    before = trainer.state()
    report = trainer.train_step(toy_batch(0), trainer.step_rng())
    after = trainer.state()
    assert report.finite
    assert set(report.terms) == {"width", "adversarial", "perceptual", "style"}
    for part in ("network.", f"{stored_keys.DISCRIMINATORS}."):
        moved = [not torch.equal(after[k], before[k]) for k in before if k.startswith(part)]
        assert any(moved), part


def test_discriminators_take_every_third_step_also_after_a_restart() -> None:
    recipe = toy_recipe(network=NETWORK, loss=replace(PAN, discriminator_every=3), phase=ONLY)

    def trainer() -> Trainer:
        return Trainer(recipe, torch.device("cpu"), "fp32", Processes(), 20)

    def weights(state: dict[str, Tensor]) -> Tensor:
        prefix = f"{stored_keys.DISCRIMINATORS}."
        return torch.cat([v.flatten() for k, v in state.items() if k.startswith(prefix)])

    whole, states = trainer(), [trainer().state()]
    for step in range(4):
        whole.train_step(toy_batch(step), whole.step_rng())
        states.append(whole.state())
    moved = [not torch.equal(weights(a), weights(b)) for a, b in pairwise(states)]
    assert moved == [True, False, False, True]
    resumed = trainer()
    resumed.restore(states[2])
    for step in (2, 3):
        resumed.train_step(toy_batch(step), resumed.step_rng())
    assert torch.equal(weights(resumed.state()), weights(states[4]))


def test_a_discriminator_of_more_layers_needs_larger_images() -> None:
    assert (least_side((16, 32, 64)), least_side((8,))) == (16, 4)
    recipe = toy_recipe(network=NETWORK, loss=replace(PAN, discriminator=(8, 8, 8, 8)), phase=ONLY)
    with pytest.raises(UsageError, match="4 hidden layers; expected 32"):
        CascadeObjective.check_recipe(recipe, 16)
    CascadeObjective.check_recipe(recipe, 32)
