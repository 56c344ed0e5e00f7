"""Every combination of backbone, guidance and likelihood is one working network."""

from itertools import product
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from dfsynth.checkpoint import Backbone, CascadeConfig, Guidance, Likelihood
from dfsynth.models import Cascade, CascadeNetwork, Prediction, build_cascade, gennorm_nll, guide
from dfsynth.models.cascade import BACKBONES
from dfsynth.models.guidance import GUIDE_CHANNELS, guidance_maps
from dfsynth.models.heads import FIXED_BETA, HEAD_CHANNELS
from dfsynth.models.published import PUBLISHED_WIDTHS

CHOICES = list(product(get_args(Backbone), get_args(Guidance), get_args(Likelihood)))
LIKELIHOODS = get_args(Likelihood)


def new_cascade(seed: int = 0, stages: int = 2, **choices: Any) -> CascadeNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_cascade(CascadeConfig(stages, (8, 16), **choices)).eval()


def awake(network: CascadeNetwork) -> CascadeNetwork:
    """With heads of later stages that say something."""
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=random))
    return network


def inputs(network: CascadeNetwork, count: int = 2) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(7)
    image = torch.rand((count, 1, 16, 24), generator=random)
    kept = torch.rand((count, network.mask_width), generator=random) >= 0.3
    return image, kept.float() / 0.7


def previous() -> Prediction:
    random = torch.Generator().manual_seed(3)
    mean, alpha, beta = (torch.rand((3, 2, 1, 4, 6), generator=random) + 0.5).unbind()
    return Prediction(mean, alpha, beta, None)


def test_every_choice_of_a_card_has_its_network() -> None:
    assert {*BACKBONES, "coarse"} == set(get_args(Backbone))
    assert set(GUIDE_CHANNELS) == set(get_args(Guidance))
    assert set(HEAD_CHANNELS) == set(get_args(Likelihood))
    assert set(FIXED_BETA) < set(HEAD_CHANNELS)


@pytest.mark.parametrize(("backbone", "guidance", "likelihood"), CHOICES)
@pytest.mark.parametrize("lung_head", [True, False])
def test_predictions_and_gradients_are_whole_and_finite(
    backbone: str, guidance: str, likelihood: str, lung_head: bool
) -> None:
    network = awake(
        new_cascade(
            backbone=backbone, guidance=guidance, likelihood=likelihood, lung_head=lung_head
        )
    )
    image, masks = inputs(network)
    predictions = network(image, masks)
    assert len(predictions) == 2
    target = torch.rand(image.shape, generator=torch.Generator().manual_seed(1))
    losses = []
    for number, found in enumerate(predictions):
        assert (found.lung_logit is not None) == (lung_head and number == 0)
        for values in (found.mean, found.alpha, found.beta, found.sigma):
            assert values.shape == image.shape
            assert values.dtype == torch.float32
            assert torch.isfinite(values).all()
        assert (found.alpha > 0).all()
        losses.append(gennorm_nll(found.mean, found.alpha, found.beta, target).mean())
        if found.lung_logit is not None:
            assert found.lung_logit.shape == image.shape
            losses.append(found.lung_logit.square().mean())
    torch.stack(losses).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


@pytest.mark.parametrize(("backbone", "guidance", "likelihood"), CHOICES)
def test_the_same_weights_and_inputs_give_the_same_maps(
    backbone: str, guidance: str, likelihood: str
) -> None:
    first, second = (
        awake(new_cascade(backbone=backbone, guidance=guidance, likelihood=likelihood))
        for _ in range(2)
    )
    image, masks = inputs(first)
    with torch.no_grad():
        for a, b in zip(first(image, masks), second(image, masks), strict=True):
            for name in ("mean", "alpha", "beta"):
                assert torch.equal(getattr(a, name), getattr(b, name)), name


@pytest.mark.parametrize("backbone", get_args(Backbone))
@pytest.mark.parametrize("guidance", get_args(Guidance))
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_new_stage_starts_as_the_one_before(
    backbone: str, guidance: str, likelihood: str
) -> None:
    network = new_cascade(stages=3, backbone=backbone, guidance=guidance, likelihood=likelihood)
    with torch.no_grad():
        first, second, third = network(*inputs(network))
    for later in (second, third):
        assert torch.equal(later.mean, first.mean)
        torch.testing.assert_close(later.alpha, first.alpha, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(later.beta, first.beta, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backbone", get_args(Backbone))
def test_samples_that_share_the_encoder_equal_separate_passes(backbone: str) -> None:
    network = awake(new_cascade(backbone=backbone)).requires_grad_(False)
    image, _ = inputs(network)
    kept = torch.rand((6, network.mask_width), generator=torch.Generator().manual_seed(2)) >= 0.3
    masks = kept.float() / 0.7
    together = network(image, masks)[-1].mean
    alone = [network(image[i // 3][None], masks[i : i + 1])[-1].mean for i in range(6)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=0, atol=1e-5)
    assert float(together[:3].std(dim=0).max()) > 1e-3


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_no_head_is_kept_that_the_likelihood_fixes(likelihood: str) -> None:
    network = new_cascade(likelihood=likelihood, lung_head=False)
    heads = {"gennorm": 3, "laplace": 2, "gaussian": 2, "point": 1, "quantile": 3}[likelihood]
    assert network.state_dict()["stages.1.head2.bias"].shape == (heads,)
    assert ("stages.1.raw_alpha" in network.state_dict()) == (likelihood == "point")


@pytest.mark.parametrize("backbone", get_args(Backbone))
@pytest.mark.parametrize(("likelihood", "beta"), [("laplace", 1.0), ("gaussian", 2.0)])
def test_fixed_shapes_are_exact_in_every_stage(backbone: str, likelihood: str, beta: float) -> None:
    network = awake(new_cascade(backbone=backbone, likelihood=likelihood))
    for found in network(*inputs(network)):
        assert torch.equal(found.beta, torch.full_like(found.beta, beta))
        assert float(found.alpha.detach().std()) > 0


def test_a_gaussian_stage_says_its_sigma() -> None:
    network = awake(new_cascade(likelihood="gaussian"))
    found = network(*inputs(network))[0]
    torch.testing.assert_close(found.sigma, found.alpha / 2**0.5)


@pytest.mark.parametrize("backbone", get_args(Backbone))
def test_a_point_estimate_has_one_trained_width_a_stage(backbone: str) -> None:
    network = awake(new_cascade(backbone=backbone, likelihood="point")).requires_grad_(True)
    with torch.no_grad():
        for m, value in enumerate((0.035, -0.02)):
            raw_alpha = network.stage(m).raw_alpha
            assert raw_alpha is not None
            raw_alpha.fill_(value)
    first, second = network(*inputs(network))
    for found, others in ((first, second), (second, first)):
        one = found.alpha.detach()[:1, :, :1, :1].expand_as(found.alpha)
        torch.testing.assert_close(found.alpha.detach(), one)
        assert not torch.allclose(found.alpha, others.alpha)
    second.alpha.mean().backward()
    # It is one of the weights of its own stage: who trains that stage trains it.
    assert "raw_alpha" in dict(network.stage(1).named_parameters())
    grad = network.get_parameter("stages.1.raw_alpha").grad
    assert grad is not None
    assert float(grad) > 0


def test_attention_is_the_equation_and_none_is_the_mean_alone() -> None:
    before = previous()
    assert torch.equal(guidance_maps("attention", before), guide(before.mean, before.sigma))
    assert torch.equal(guidance_maps("none", before), before.mean)
    joined = guidance_maps("concat", before)
    assert torch.equal(joined, torch.cat([before.mean, before.alpha, before.beta], dim=1))


@pytest.mark.parametrize(
    ("guidance", "seen"), [("attention", True), ("concat", True), ("none", False)]
)
def test_without_guidance_no_sigma_reaches_the_next_stage(guidance: str, seen: bool) -> None:
    network = awake(new_cascade(guidance=guidance, lung_head=False)).requires_grad_(False)
    assert isinstance(network, Cascade)
    image, masks = inputs(network)
    before = network(image, masks, 1)[0]
    row = torch.linspace(1, 2, image.shape[-1]).expand_as(before.alpha)
    wider = Prediction(before.mean, before.alpha * row, before.beta, None)
    kept = network.split_masks(masks)[1]
    # The mean of stage 2 starts from the mean before, so what differs came through the guide.
    same = torch.equal(
        network.follow(1, image, before, kept).mean, network.follow(1, image, wider, kept).mean
    )
    assert same != seen


def test_the_packaged_shape_has_1_2_million_parameters_a_stage() -> None:
    with torch.device("meta"):
        network = build_cascade(CascadeConfig())
    assert network.divisor == 32
    assert [count(network, m) for m in range(3)] == [1_204_220, 1_204_795, 1_204_795]


def test_the_published_shape_has_33_million_parameters_a_stage() -> None:
    with torch.device("meta"):
        network = build_cascade(CascadeConfig(widths=PUBLISHED_WIDTHS, backbone="published"))
    assert network.divisor == 16
    assert network.mask_width == 3 * (256 + 128 + 64 + 64)
    for m in range(3):
        assert abs(count(network, m) - 33.0e6) < 0.1e6


def count(network: CascadeNetwork, m: int) -> int:
    return sum(weight.numel() for weight in network.stage(m).parameters())
