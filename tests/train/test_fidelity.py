"""The pixel-wise loss of each likelihood, plain and amplified."""

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from dfsynth.checkpoint import Backbone, CascadeConfig, Likelihood
from dfsynth.models import Cascade, Prediction, gennorm_nll
from dfsynth.train.amplification import Amplification, Kind, Profile, amplify, spatial_weights
from dfsynth.train.losses import fidelity
from dfsynth.train.recipe import Misfit

KINDS = get_args(Kind)
LIKELIHOODS = get_args(Likelihood)
MISFITS = get_args(Misfit)
PROFILES = get_args(Profile)
PUBLISHED = (
    Amplification(),
    *(
        Amplification(kind, profile, profile)
        for kind in ("spatial", "frequency", "spatial_frequency", "frequency_spatial")
        for profile in PROFILES
    ),
)
"""Nine, for each of L1 and L2 (Frey et al.)."""


def drawn(beta: float | None = None) -> tuple[Prediction, Tensor]:
    random = torch.Generator().manual_seed(3)
    mean, alpha, shape, target = torch.rand((4, 2, 1, 16, 16), generator=random).unbind()
    shape = shape + 1 if beta is None else torch.full_like(shape, beta)
    leaves = [t.clone().requires_grad_(True) for t in (mean, 0.1 + alpha, shape)]
    widths = leaves[1].detach().expand(-1, 2, -1, -1)
    return Prediction(leaves[0], leaves[1], leaves[2], None, widths), target


def grads(loss: Tensor, prediction: Prediction) -> list[Tensor]:
    return list(torch.autograd.grad(loss, [prediction.mean, prediction.alpha, prediction.beta]))


def test_it_is_the_mean_likelihood() -> None:
    found, target = drawn()
    expected = gennorm_nll(found.mean, found.alpha, found.beta, target).mean()
    assert torch.equal(fidelity(found, target, "gennorm"), expected)


def test_a_gaussian_is_squares_and_a_laplace_is_absolute_values() -> None:
    found, target = drawn(beta=2.0)
    sigma, error = found.alpha / math.sqrt(2), found.mean - target
    expected = (error**2 / (2 * sigma**2) + torch.log(sigma)).mean() + 0.5 * math.log(2 * math.pi)
    loss = float(fidelity(found, target, "gaussian").detach())
    assert loss + math.log(2) == pytest.approx(float(expected.detach()), rel=1e-5)
    found, target = drawn(beta=1.0)
    expected = ((found.mean - target).abs() / found.alpha + torch.log(found.alpha)).mean()
    loss = float(fidelity(found, target, "laplace").detach())
    assert loss == pytest.approx(float(expected.detach()), rel=1e-5)


@pytest.mark.parametrize("misfit", MISFITS)
def test_a_points_mean_follows_its_misfit_alone_and_its_width_the_likelihood(
    misfit: Misfit,
) -> None:
    found, target = drawn(beta=1.0)
    loss = fidelity(found, target, "point", misfit=misfit)
    residual = found.mean - target
    plain = (residual.abs() if misfit == "l1" else residual**2).mean()
    likelihood = gennorm_nll(found.mean, found.alpha, found.beta, target).mean()
    torch.testing.assert_close(loss, plain + likelihood)
    mean, alpha, _ = grads(loss, found)
    torch.testing.assert_close(mean, torch.autograd.grad(plain, found.mean)[0])
    expected = torch.autograd.grad(likelihood, found.alpha)[0]
    torch.testing.assert_close(alpha, expected)


def test_a_points_width_becomes_its_mean_absolute_error() -> None:
    found, target = drawn(beta=1.0)
    error = (found.mean - target).abs().mean().detach()
    at_best = Prediction(found.mean, error.expand_as(target).clone(), found.beta, None)
    at_best.alpha.requires_grad_(True)
    _, alpha, _ = grads(fidelity(at_best, target, "point"), at_best)
    assert float(alpha.sum()) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_every_kind_of_every_likelihood_trains_a_cascade(
    likelihood: Likelihood, kind: Kind
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Cascade(CascadeConfig(2, (8, 16), lung_head=False, likelihood=likelihood))
        image, target = torch.rand(2, 2, 1, 16, 16)
    predictions = network(image, torch.ones(2, network.mask_width))
    amplification = Amplification(kind)
    losses = [fidelity(p, target, likelihood, amplification) for p in predictions]
    loss = torch.stack(losses).sum()
    assert loss.dtype == torch.float32
    assert loss.ndim == 0
    loss.backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name


@pytest.mark.parametrize("kind", KINDS)
def test_an_amplification_without_strength_leaves_the_gradients(kind: Kind) -> None:
    found, target = drawn()
    plain = grads(fidelity(found, target, "gennorm"), found)
    without = grads(fidelity(found, target, "gennorm", Amplification(kind, strength=0)), found)
    for a, b in zip(without, plain, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "same_as"), [("frequency", "none"), ("spatial_frequency", "spatial")]
)
@pytest.mark.parametrize("likelihood", ["gennorm", "point"])
def test_the_no_op_theorem_holds_for_likelihoods(
    kind: Kind, same_as: Kind, likelihood: str
) -> None:
    found, target = drawn()
    first, second = (
        grads(fidelity(found, target, likelihood, Amplification(k)), found) for k in (kind, same_as)
    )
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("misfit", MISFITS)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("kind", "same_as"), [("frequency", "none"), ("spatial_frequency", "spatial")]
)
def test_the_no_op_theorem_holds_for_patches_of_either_misfit(
    kind: Kind, same_as: Kind, profile: Profile, misfit: Misfit
) -> None:
    """mean(L_F) = A_F(0) · mean(L) = mean(L), of absolute and of squared errors."""
    found, target = drawn(beta=1.0)
    weights = spatial_weights(Amplification("spatial", profile), 40, 40)
    places = torch.cat([weights[..., :16, :16], weights[..., 20:36, 9:25]])
    first, second = (
        fidelity(found, target, "point", Amplification(k, profile, profile), places, None, misfit)
        for k in (kind, same_as)
    )
    torch.testing.assert_close(first, second)
    for a, b in zip(grads(first, found), grads(second, found), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("misfit", MISFITS)
@pytest.mark.parametrize("amplification", PUBLISHED)
def test_a_published_configuration_is_the_mean_of_its_map(
    amplification: Amplification, misfit: Misfit
) -> None:
    found, target = drawn(beta=1.0)
    weights = spatial_weights(amplification, 40, 40)[..., 20:36, 9:25]
    residual = found.mean - target
    plain = residual.abs() if misfit == "l1" else residual**2
    expected = amplify(plain, amplification, weights).mean()
    loss = fidelity(found, target, "point", amplification, weights, None, misfit)
    widths = gennorm_nll(found.mean, found.alpha, found.beta, target).mean()
    torch.testing.assert_close(loss, expected + widths)
    gradient = grads(loss, found)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, found.mean)[0])
    assert gradient.any()


def letterboxed() -> tuple[Prediction, Tensor, Tensor]:
    found, target = drawn()
    content = torch.zeros_like(target)
    content[..., 3:12, :] = 1
    return found, target, content


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("likelihood", ["gennorm", "point"])
def test_padding_counts_for_nothing_whatever_the_amplification(kind: Kind, likelihood: str) -> None:
    found, target, content = letterboxed()
    elsewhere = target + 5 * (1 - content)
    one, other = (
        fidelity(found, t, likelihood, Amplification(kind), content=content)
        for t in (target, elsewhere)
    )
    torch.testing.assert_close(one, other)
    outside = 1 - content
    for gradient in grads(one, found):
        assert not (gradient * outside).any()


@pytest.mark.parametrize(
    ("kind", "same_as"), [("frequency", "none"), ("spatial_frequency", "spatial")]
)
def test_the_no_op_theorem_holds_with_padding(kind: Kind, same_as: Kind) -> None:
    found, target, content = letterboxed()
    one, other = (
        fidelity(found, target, "gennorm", Amplification(k), content=content)
        for k in (kind, same_as)
    )
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", ["absolute_frequency", "residual_frequency"])
def test_weighing_fine_structure_moves_the_mean_and_no_width(kind: Kind) -> None:
    """Or sigma would describe weighted residuals, up to twice as large as the real ones."""
    found, target = drawn()
    plain = grads(fidelity(found, target, "gennorm"), found)
    weighed = grads(fidelity(found, target, "gennorm", Amplification(kind)), found)
    assert not torch.allclose(weighed[0], plain[0], rtol=1e-2)
    for a, b in zip(weighed[1:], plain[1:], strict=True):
        torch.testing.assert_close(a, b)


def test_patches_are_weighed_by_their_place() -> None:
    found, target = drawn()
    wanted = Amplification("spatial")
    place = spatial_weights(wanted, 64, 64)[..., 24:40, 24:40]
    loss = gennorm_nll(found.mean, found.alpha, found.beta, target)
    expected = amplify(loss, wanted, place).mean()
    assert torch.equal(fidelity(found, target, "gennorm", wanted, place), expected)
    assert not torch.equal(fidelity(found, target, "gennorm", wanted), expected)


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_it_is_float32_under_autocast(likelihood: str) -> None:
    found, target = drawn()
    exact = fidelity(found, target, likelihood)
    with torch.autocast("cpu", torch.bfloat16):
        for kind in KINDS:
            assert fidelity(found, target, likelihood, Amplification(kind)).dtype == torch.float32
        assert torch.equal(fidelity(found, target, likelihood), exact)


def flawed_copies(count: int) -> tuple[Tensor, Tensor]:
    """Images, and targets that are a plain function of them with noise of 0.05."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand((count, 1, 4, 4), generator=random)
    image = torch.kron(coarse, torch.ones(1, 1, 4, 4))
    noise = 0.05 * torch.randn(image.shape, generator=random)
    return image, 0.3 - 0.2 * image + noise


@pytest.mark.parametrize(
    ("backbone", "likelihood", "kind"),
    [
        ("compact", "gennorm", "none"),
        ("compact", "laplace", "none"),
        ("compact", "gaussian", "none"),
        ("compact", "point", "none"),
        ("compact", "gennorm", "frequency_spatial"),
        ("compact", "gennorm", "absolute_frequency"),
        ("compact", "gennorm", "residual_frequency"),
        ("published", "gennorm", "none"),
        ("published", "point", "none"),
    ],
)
def test_a_cascade_can_be_trained_to_the_mean_and_its_error(
    backbone: Backbone, likelihood: Likelihood, kind: Kind
) -> None:
    image, target = flawed_copies(4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = CascadeConfig(
            1, (8, 16), lung_head=False, backbone=backbone, likelihood=likelihood
        )
        network = Cascade(config)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    masks = torch.ones(4, network.mask_width)
    for _ in range(60):
        optimiser.zero_grad()
        loss = fidelity(network(image, masks)[0], target, likelihood, Amplification(kind))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        found = network(image, masks)[0]
    clean = 0.3 - 0.2 * image
    assert float((found.mean - clean).square().mean()) < 0.6 * float(clean.var())
    error = float((found.mean - target).square().mean().sqrt())
    assert 0.7 < float(found.sigma.mean()) / error < 1.5


def test_beta_nll_of_nothing_is_the_likelihood() -> None:
    found, target = drawn()
    plain = fidelity(found, target, "gennorm")
    assert torch.equal(fidelity(found, target, "gennorm", beta_nll=0.0), plain)


def test_beta_nll_gives_the_mean_of_a_gaussian_the_gradient_of_squared_errors() -> None:
    found, target = drawn(beta=2.0)
    mean, alpha, _ = grads(fidelity(found, target, "gaussian", beta_nll=1.0), found)
    squares, _, _ = grads(fidelity(found, target, "gaussian"), found)
    ratio = mean / (found.mean - target)
    assert torch.allclose(ratio, ratio[:, :, :1, :1].expand_as(ratio), rtol=1e-4)
    assert not torch.allclose(squares, mean, rtol=0.1)
    # Widths are still those of the residuals: the likelihood's gradient, weighed.
    plain = grads(fidelity(found, target, "gaussian"), found)[1]
    assert torch.equal(alpha.sign(), plain.sign())


def test_beta_nll_weighs_one_on_average_and_nothing_in_padding() -> None:
    found, target = drawn()
    scale, shape = torch.full_like(found.alpha, 0.3), torch.full_like(found.beta, 1.5)
    same = Prediction(found.mean, scale, shape, None)
    plain = fidelity(same, target, "gennorm")
    weighed = fidelity(same, target, "gennorm", beta_nll=0.5)
    assert float(weighed.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    content = torch.ones_like(target)
    content[..., :4] = 0
    far = torch.where(content > 0, target, target + 100)
    losses = [fidelity(found, t, "gennorm", content=content, beta_nll=0.5) for t in (target, far)]
    assert torch.equal(*losses)


def test_beta_nll_weighs_by_deviations_and_by_those_of_padding_not_at_all() -> None:
    found, target = drawn()
    content = torch.ones_like(target)
    content[..., :4] = 0
    wide = torch.where(content > 0, found.alpha, 100 * found.alpha)
    beyond = Prediction(found.mean, wide, found.beta, None)
    one, other = (
        fidelity(p, target, "gennorm", content=content, beta_nll=0.5) for p in (found, beyond)
    )
    torch.testing.assert_close(one, other)
    likelihoods = gennorm_nll(found.mean, found.alpha, found.beta, target)[..., 4:]
    weights = found.sigma[..., 4:]
    expected = (likelihoods * weights / weights.mean(dim=(1, 2, 3), keepdim=True)).mean()
    torch.testing.assert_close(one, expected)


def test_beta_nll_of_a_patch_that_is_all_padding_counts_for_nothing() -> None:
    found, target = drawn()
    content = torch.ones_like(target)
    content[0] = 0
    loss = fidelity(found, target, "gennorm", content=content, beta_nll=0.5)
    assert torch.isfinite(loss)
    assert all(torch.isfinite(gradient).all() for gradient in grads(loss, found))
