"""Cascades that say what to add to their input: where they start, and by how much they move."""

from typing import Any, get_args

import pytest
import torch
from drawn_networks import draw_weights
from torch import Tensor

from dfsynth.checkpoint import Backbone, CascadeConfig, Likelihood, MembersConfig
from dfsynth.models import CascadeNetwork, Members, Prediction, build_cascade
from dfsynth.models.heads import interpret

BACKBONES = get_args(Backbone)
LIKELIHOODS = get_args(Likelihood)


def cascade(stages: int = 2, residual: float = 0.25, **choices: Any) -> CascadeNetwork:
    config = CascadeConfig(stages, (8, 16), residual=residual, **choices)
    return build_cascade(config).eval().requires_grad_(False)


def image() -> Tensor:
    """Of values outside [0, 1] too."""
    return 3 * torch.rand(2, 1, 16, 24, generator=torch.Generator().manual_seed(1)) - 1


def predict(network: CascadeNetwork, samples: int = 1) -> list[Prediction]:
    random = torch.Generator().manual_seed(2)
    kept = torch.rand(2 * samples, network.mask_width, generator=random) >= 0.3
    found: list[Prediction] = network(image(), kept.float())
    return found


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_fresh_network_gives_its_input(backbone: str, likelihood: str) -> None:
    network = cascade(backbone=backbone, likelihood=likelihood)
    found = predict(network, samples=2)
    given = image().repeat_interleave(2, dim=0)
    torch.testing.assert_close(found[-1].mean, given, rtol=0, atol=1e-6)
    if backbone == "coarse":
        # Before the refinement a stage knows means of four by four pixels.
        given = network.enlarge(torch.nn.functional.avg_pool2d(given, 4))
    for stage in found[:-1]:
        torch.testing.assert_close(stage.mean, given, rtol=0, atol=1e-6)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_change_of_the_mean_is_scaled_and_nothing_else(backbone: str, likelihood: str) -> None:
    start, one, two = (
        cascade(residual=residual, backbone=backbone, likelihood=likelihood)
        for residual in (0.2, 0.2, 0.4)
    )
    for network in (one, two):
        draw_weights(network)
    # That of the last stage is refined where samples are coarse, which knows of no scale.
    begun, near, far = (predict(network)[0] for network in (start, one, two))
    change = near.mean - begun.mean
    assert float(change.abs().max()) > 1e-3
    torch.testing.assert_close(far.mean - begun.mean, 2 * change, rtol=1e-4, atol=1e-5)
    for name in ("alpha", "beta", "lung_logit", "widths"):
        torch.testing.assert_close(getattr(far, name), getattr(near, name))


def test_a_later_stage_changes_the_stage_before_and_not_the_image_again() -> None:
    raw = torch.full((1, 3, 2, 2), 0.4)
    first = interpret(raw, None, image=torch.full((1, 1, 2, 2), 0.5), residual=0.25)
    second = interpret(raw, first, image=torch.full((1, 1, 2, 2), 0.5), residual=0.25)
    torch.testing.assert_close(first.mean, torch.full((1, 1, 2, 2), 0.6))
    torch.testing.assert_close(second.mean, torch.full((1, 1, 2, 2), 0.7))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_weight_learns(backbone: str) -> None:
    network = draw_weights(cascade(backbone=backbone)).requires_grad_(True)
    losses = [f.mean.square().mean() + f.sigma.mean() + f.beta.mean() for f in predict(network)]
    lung = predict(network)[0].lung_logit
    assert lung is not None
    (torch.stack(losses).sum() + lung.square().mean()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


def test_members_start_from_the_input_too() -> None:
    network = Members(MembersConfig(2, CascadeConfig(1, (8, 16), residual=0.25)))
    for member in network.cascades():
        torch.testing.assert_close(predict(member.eval())[-1].mean, image())
