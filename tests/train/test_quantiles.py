"""Quantiles: what the pinball loss makes of them, and what the maps keep of them."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from support_training import toy_batch, toy_recipe
from torch import Tensor

from dfsynth.checkpoint import Backbone, CascadeConfig
from dfsynth.models import Prediction
from dfsynth.models.heads import QUANTILES, interpret, quantile_sigma
from dfsynth.train.losses import fidelity, pinball
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Phase
from dfsynth.train.trainer import Trainer

PIXELS = 200
DRAWS: dict[str, Callable[[torch.Generator], Tensor]] = {
    "gaussian": lambda g: torch.randn(1, 1, PIXELS, PIXELS, generator=g),
    "skewed": lambda g: -torch.log(torch.rand(1, 1, PIXELS, PIXELS, generator=g)),
}


def said(raw: Tensor) -> Prediction:
    """Of all pixels alike."""
    return interpret(raw.expand(1, 3, PIXELS, PIXELS), None, "quantile")


def fitted(target: Tensor) -> Prediction:
    """What the loss of `quantile` makes of one mean and two widths for all pixels."""
    raw = torch.zeros(1, 3, 1, 1, requires_grad=True)
    optimiser = torch.optim.Adam([raw], 0.05)
    for _ in range(300):
        optimiser.zero_grad()
        fidelity(said(raw), target, "quantile", misfit="l2").backward()
        optimiser.step()
    return said(raw.detach())


@pytest.mark.parametrize("name", list(DRAWS))
def test_fitted_quantiles_hold_the_share_that_they_name(name: str) -> None:
    target = DRAWS[name](torch.Generator().manual_seed(0))
    found = fitted(target)
    assert found.widths is not None
    below, above = found.widths.chunk(2, dim=1)
    shares = [float((target < q).float().mean()) for q in (found.mean - below, found.mean + above)]
    np.testing.assert_allclose(shares, QUANTILES, atol=0.01)
    # Squared errors: the mean is the mean, whatever the quantiles are.
    assert float(found.mean[0, 0, 0, 0]) == pytest.approx(float(target.mean()), abs=0.02)


def test_what_the_maps_say_of_a_gaussian_is_its_deviation() -> None:
    target = 0.5 * DRAWS["gaussian"](torch.Generator().manual_seed(1))
    assert float(fitted(target).sigma[0, 0, 0, 0]) == pytest.approx(0.5, abs=0.02)


def test_the_slope_of_the_pinball_loss_is_the_share_that_is_off() -> None:
    """d/dq = P(y < q) - level: it vanishes where the share below is the level."""
    target = DRAWS["gaussian"](torch.Generator().manual_seed(2))
    widths = torch.tensor([0.8, 1.3])[None, :, None, None].requires_grad_(True)
    mean = torch.zeros_like(target, requires_grad=True)
    maps = widths.expand(1, 2, PIXELS, PIXELS)
    ones = torch.ones_like(target)
    loss = pinball(Prediction(mean, ones, ones, None, maps), target, None)
    [slope] = torch.autograd.grad(loss, [widths])
    shares = [float((target < q).float().mean()) for q in (-0.8, 1.3)]
    expected = [-(shares[0] - QUANTILES[0]), shares[1] - QUANTILES[1]]
    np.testing.assert_allclose(slope.flatten(), expected, atol=1e-5)


def test_quantiles_move_no_mean() -> None:
    target = torch.rand(1, 1, 4, 4)
    mean = torch.zeros_like(target, requires_grad=True)
    found = Prediction(mean, target, target, None, torch.ones(1, 2, 4, 4, requires_grad=True))
    loss = fidelity(found, target, "quantile", misfit="l2")
    [slope] = torch.autograd.grad(loss, [mean])
    torch.testing.assert_close(slope, -2 * target / 16)


def test_padding_does_not_count() -> None:
    target, content = torch.rand(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    content[..., 2:] = 0
    found = Prediction(target, target, target, None, torch.ones(1, 2, 4, 4))
    moved = target + 7 * (1 - content)
    assert torch.equal(pinball(found, moved, content), pinball(found, target, content))


def test_quantiles_never_cross() -> None:
    raw = 9 * torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    found = interpret(raw, None, "quantile")
    assert found.widths is not None
    assert (found.widths > 0).all()
    assert torch.equal(found.mean, raw[:, :1])
    torch.testing.assert_close(found.sigma, quantile_sigma(found.widths))
    torch.testing.assert_close(found.alpha, math.sqrt(2) * found.sigma)


@pytest.mark.parametrize("backbone", ["compact", "coarse"])
def test_a_training_learns_the_width_of_noise(backbone: Backbone) -> None:
    """The target is noise of a known deviation: its 90 % interval is as wide as it should be."""
    recipe = toy_recipe(
        network=CascadeConfig(
            1, (8, 16), 0.0, False, backbone, guidance="none", likelihood="quantile"
        ),
        loss=LossWeights(adversarial=0.0, residual=0.0, lung=0.0, misfit="l2"),
        phase=(Phase("only", (1,), 1e-2, steps=60),),
    )
    trainer = Trainer(recipe, torch.device("cpu"), "fp32", Processes(), 20)
    for step in range(60):
        batch = toy_batch(step)
        noise = 0.2 * torch.randn(batch.target.shape, generator=torch.Generator().manual_seed(step))
        noisy = type(batch)(batch.image, 0.3 + noise)
        report = trainer.train_step(noisy, trainer.step_rng())
        assert report.finite
    [found] = trainer.predict(toy_batch(99).image)
    assert found.widths is not None
    below, above = found.widths.chunk(2, dim=1)
    target = 0.3 + 0.2 * torch.randn(found.mean.shape, generator=torch.Generator().manual_seed(99))
    inside = (target > found.mean - below) & (target < found.mean + above)
    assert float(inside.float().mean()) == pytest.approx(0.9, abs=0.06)
