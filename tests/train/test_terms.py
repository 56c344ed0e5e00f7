"""Terms of the loss: padding counts for nothing."""

from dataclasses import replace

import pytest
import torch
from support_training import toy_batch

from dfsynth.datasets import PairBatch
from dfsynth.models import Prediction
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.train.recipe import LossWeights
from dfsynth.train.terms import discriminator_input, discriminator_loss, generator_terms

WEIGHTS = LossWeights(residual_box=3, lung=0.0)


FEATURES = LossWeights(residual_box=3, lung=0.0, perceptual=(2.0, 1.0), style=1.0)


def padded(batch: PairBatch) -> PairBatch:
    """The right half of each image is padding."""
    content = torch.ones_like(batch.image)
    content[..., 8:] = 0
    return replace(batch, content=content)


def prediction(mean: torch.Tensor) -> Prediction:
    return Prediction(mean, torch.full_like(mean, 0.1), torch.full_like(mean, 1.5), None)


@pytest.mark.parametrize("likelihood", ["gennorm", "point"])
@pytest.mark.parametrize(
    ("weights", "more"), [(WEIGHTS, set()), (FEATURES, {"perceptual", "style"})]
)
def test_what_is_predicted_in_padding_changes_nothing(
    likelihood: str, weights: LossWeights, more: set[str]
) -> None:
    batch, discriminator = padded(toy_batch(0, side=32)), PatchDiscriminator()
    mean = torch.rand(4, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    other = mean.clone()
    other[..., 8:] += 5
    one, two = (
        generator_terms(
            prediction(m.requires_grad_(True)), batch, weights, likelihood, discriminator
        )
        for m in (mean, other)
    )
    assert one.keys() == two.keys() == {"fidelity", "residual", "adversarial"} | more
    for name in one:
        torch.testing.assert_close(one[name], two[name])
    torch.stack(list(one.values())).sum().backward()
    assert mean.grad is not None
    assert not mean.grad[..., 8:].any()
    assert mean.grad[..., :8].abs().min() > 0


ABSOLUTE = replace(WEIGHTS, absolute=2.0, fidelity=0.01)


def test_absolute_errors_stand_beside_the_likelihood_and_move_the_mean_alone() -> None:
    batch, discriminator = padded(toy_batch(0, side=32)), PatchDiscriminator()
    mean = torch.zeros(4, 1, 32, 32, requires_grad=True)
    said = prediction(mean)
    terms = generator_terms(said, batch, ABSOLUTE, "gennorm", discriminator)
    plain = generator_terms(said, batch, WEIGHTS, "gennorm", discriminator)
    torch.testing.assert_close(terms["fidelity"], 0.01 * plain["fidelity"])
    expected = 2 * (batch.target[..., :8].abs()).mean()
    torch.testing.assert_close(terms["absolute"], expected)
    [gradient] = torch.autograd.grad(terms["absolute"], mean)
    assert set((gradient[..., :8] * 4 * 32 * 8).unique().round().tolist()) <= {-2.0, 0.0, 2.0}
    assert not gradient[..., 8:].any()
    assert terms.keys() == plain.keys() | {"absolute"}


def test_without_padding_the_mean_is_over_all() -> None:
    batch, discriminator = toy_batch(0), PatchDiscriminator()
    whole = replace(batch, content=torch.ones_like(batch.image))
    said = prediction(torch.zeros(4, 1, 16, 16))
    for likelihood in ("gennorm", "point"):
        one, two = (
            generator_terms(said, b, WEIGHTS, likelihood, discriminator) for b in (batch, whole)
        )
        for name in one:
            torch.testing.assert_close(one[name], two[name])


def test_discriminators_see_the_radiograph_only_where_they_are_conditional() -> None:
    batch = toy_batch(0)
    assert discriminator_input(batch.target, batch, False).shape[1] == 1
    both = discriminator_input(batch.target, batch, True)
    assert torch.equal(both[:, :1], batch.image)
    discriminators = [PatchDiscriminator(channels_in=2), PatchDiscriminator(channels_in=2)]
    weights = LossWeights(conditional=True)
    loss = discriminator_loss([batch.target, batch.target], discriminators, batch, weights)
    assert loss.ndim == 0
    assert loss > 0


def test_parts_of_a_batch_have_the_mean_of_the_whole() -> None:
    batch, discriminator = toy_batch(0, side=32), PatchDiscriminator()
    content = torch.ones_like(batch.image)
    for number, width in enumerate((32, 20, 9, 25)):
        content[number, :, :, width:] = 0
    said = prediction(torch.zeros(4, 1, 32, 32))

    def fidelity(part: slice) -> torch.Tensor:
        cut = PairBatch(batch.image[part], batch.target[part], content=content[part])
        few = prediction(said.mean[part])
        return generator_terms(few, cut, WEIGHTS, "gennorm", discriminator)["fidelity"]

    halves = (fidelity(slice(0, 2)) + fidelity(slice(2, 4))) / 2
    torch.testing.assert_close(halves, fidelity(slice(0, 4)))
