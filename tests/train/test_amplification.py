"""Structured loss amplification: its weights, its equation, and what of it can act at all."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dfsynth.train.amplification import (
    Amplification,
    Kind,
    Profile,
    amplify,
    amplify_spectrum,
    frequency_weights,
    spatial_weights,
)

PROFILES: tuple[Profile, ...] = get_args(Profile)
SHAPES = [(16, 16), (15, 24), (24, 15), (17, 13), (1, 8)]


def loss_map(shape: tuple[int, int] = (16, 24), count: int = 2) -> Tensor:
    random = torch.Generator().manual_seed(1)
    return torch.rand((count, 1, *shape), generator=random)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_weights_lie_between_1_and_1_plus_strength(profile: Profile, strength: float) -> None:
    wanted = Amplification("spatial", profile, profile, strength)
    for shape in SHAPES:
        for weights in (spatial_weights(wanted, *shape), frequency_weights(wanted, *shape)):
            assert float(weights.min()) >= 1
            assert float(weights.max()) <= 1 + strength + 1e-6


@pytest.mark.parametrize("profile", PROFILES)
def test_the_centre_weighs_most_and_the_corners_least(profile: Profile) -> None:
    weights = spatial_weights(Amplification("spatial", profile), 33, 65)[0, 0]
    assert float(weights[16, 32]) == pytest.approx(2)
    assert float(weights[0, 0]) == pytest.approx(1, abs=0.03)
    for flipped in (weights.flip(0), weights.flip(1)):
        torch.testing.assert_close(weights, flipped)
    for line in (weights[16, 32:], weights[16:, 32], weights[16:, 32:48].diagonal()):
        assert (line.diff() < 0).all()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("shape", SHAPES)
def test_frequencies_weigh_more_the_higher_and_1_at_zero(
    profile: Profile, shape: tuple[int, int]
) -> None:
    weights = frequency_weights(Amplification("frequency", "linear", profile), *shape)[0, 0]
    assert float(weights[0, 0]) == 1
    assert (weights[0].diff() > 0).all()
    assert (weights[: (shape[0] + 1) // 2].diff(dim=0) > 0).all()


def test_the_highest_frequency_weighs_2_and_smooth_raises_the_middle() -> None:
    linear, smooth = (
        frequency_weights(Amplification("frequency", "linear", p), 16, 16)[0, 0] for p in PROFILES
    )
    assert float(linear[8, 8]) == pytest.approx(2)
    assert float(smooth[8, 8]) == pytest.approx(2)
    assert float(linear[4, 4]) == pytest.approx(1.5)
    assert float(smooth[4, 4]) == pytest.approx(1 + np.sin(np.pi / 4))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_equation_by_a_full_transform(profile: Profile, shape: tuple[int, int]) -> None:
    values = loss_map(shape).double().numpy()[:, 0]
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])) * np.sqrt(2)
    weights = 1 + (radius if profile == "linear" else np.sin(np.pi / 2 * radius))
    expected = np.fft.ifft2(weights * np.fft.fft2(values)).real
    wanted = Amplification("frequency", "linear", profile)
    found = amplify_spectrum(loss_map(shape), wanted)[:, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_each_kind_is_its_equation() -> None:
    loss = loss_map()

    def of(kind: Kind) -> Tensor:
        return amplify(loss, Amplification(kind))

    weights = spatial_weights(Amplification(), 16, 24)

    def spectral(maps: Tensor) -> Tensor:
        return amplify_spectrum(maps, Amplification())

    assert torch.equal(of("none"), loss)
    assert torch.equal(of("residual_frequency"), loss)
    assert torch.equal(of("spatial"), weights * loss)
    assert torch.equal(of("frequency"), spectral(loss))
    assert torch.equal(of("absolute_frequency"), spectral(loss).abs())
    assert torch.equal(of("spatial_frequency"), spectral(weights * loss))
    assert torch.equal(of("frequency_spatial"), weights * spectral(loss))


def test_a_patch_takes_the_weights_of_its_place() -> None:
    wanted, loss = Amplification("spatial"), loss_map((32, 32))
    patch = (..., slice(3, 19), slice(10, 26))
    weights = spatial_weights(wanted, 32, 32)
    found = amplify(loss[patch], wanted, weights[patch])
    assert torch.equal(found, amplify(loss, wanted)[patch])
    assert not torch.allclose(found, amplify(loss[patch], wanted))


def test_patches_of_one_batch_may_lie_at_different_places() -> None:
    wanted, loss = Amplification("spatial"), loss_map((8, 8))
    weights = spatial_weights(wanted, 32, 32)
    places = torch.cat([weights[..., :8, :8], weights[..., 12:20, 12:20]])
    found = (amplify(loss, wanted, places) / loss).mean(dim=(1, 2, 3))
    assert float(found[1]) > float(found[0]) + 0.4


def gradients(loss_of: Callable[[Tensor], Tensor]) -> tuple[float, Tensor]:
    """Value and all gradients of a small network whose output meets a target."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1)
        ).double()
        image, target = torch.rand(2, 2, 1, 16, 20, dtype=torch.float64)
    loss = loss_of(network(image) - target)
    loss.backward()
    grads = [p.grad.flatten() for p in network.parameters() if p.grad is not None]
    return float(loss.detach()), torch.cat(grads)


def amplified(kind: Kind, power: int, profile: Profile) -> tuple[float, Tensor]:
    wanted = Amplification(kind, profile, profile)

    def loss_of(residual: Tensor) -> Tensor:
        if kind == "residual_frequency":
            residual = amplify_spectrum(residual, wanted)
        return amplify(residual.abs() ** power, wanted).mean()

    return gradients(loss_of)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("kind", "same_as"), [("frequency", "none"), ("spatial_frequency", "spatial")]
)
def test_weighted_frequencies_of_a_loss_map_change_no_gradient(
    kind: Kind, same_as: Kind, profile: Profile, power: int
) -> None:
    """mean(L_F) = A_F(0) · mean(L), and A_F(0) = 1."""
    value, found = amplified(kind, power, profile)
    plain_value, plain = amplified(same_as, power, profile)
    assert value == pytest.approx(plain_value, rel=1e-5)
    torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-6 * float(plain.abs().max()))


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("kind", "unlike"),
    [
        ("spatial", "none"),
        ("frequency_spatial", "spatial"),
        ("frequency_spatial", "none"),
        ("absolute_frequency", "none"),
        ("residual_frequency", "none"),
    ],
)
def test_the_other_kinds_do_act(kind: Kind, unlike: Kind, profile: Profile, power: int) -> None:
    _, found = amplified(kind, power, profile)
    _, other = amplified(unlike, power, profile)
    scale = found @ other / (other @ other)
    assert float((found - scale * other).norm() / found.norm()) > 5e-4


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("shape", [(16, 16), (32, 48), (64, 64)])
def test_frequencies_before_space_are_sharpened_spatial_weights(
    profile: Profile, shape: tuple[int, int]
) -> None:
    """mean(A_S · F(L)) = mean(F(A_S) · L), because A_F is real and even."""
    wanted = Amplification("frequency_spatial", profile, profile)
    sharpened = amplify_spectrum(spatial_weights(wanted, *shape), wanted)
    loss = loss_map(shape)
    found = amplify(loss, wanted).mean()
    assert float(found) == pytest.approx(float((sharpened * loss).mean()), rel=1e-5)
    # No pixel's loss counts negatively.
    assert float(sharpened.min()) > 0.9


@pytest.mark.parametrize("profile", PROFILES)
def test_sharpened_weights_hardly_differ_at_sizes_that_are_trained(profile: Profile) -> None:
    wanted = Amplification("frequency_spatial", profile, profile)
    weights = spatial_weights(wanted, 256, 256)
    change = amplify_spectrum(weights, wanted) - weights
    assert float(change.square().mean().sqrt()) < 0.003
    assert float(change.abs().max()) < 0.01


def test_residual_weights_cost_fine_errors_more_than_slow_ones() -> None:
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    wanted = Amplification("residual_frequency")
    slow = torch.cos(2 * torch.pi * x / 32)[None, None]
    fine = torch.cos(torch.pi * (x + y))[None, None]
    for error, weight in ((slow, 1 + 2**0.5 / 32), (fine, 2.0)):
        ratio = amplify_spectrum(error, wanted).square().mean() / error.square().mean()
        assert float(ratio) == pytest.approx(weight**2, rel=1e-4)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_strength_of_0_is_no_amplification(kind: Kind) -> None:
    loss = loss_map()
    found = amplify(loss, Amplification(kind, strength=0))
    torch.testing.assert_close(found, loss, rtol=1e-5, atol=1e-6)


def test_half_precision_is_weighed_in_float32() -> None:
    loss = loss_map().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        for kind in get_args(Kind):
            assert amplify(loss, Amplification(kind)).dtype == torch.float32


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "both"}, "kind of an amplification one of none, spatial"),
        ({"spatial_profile": "round"}, "one of linear, smooth, found 'round'"),
        ({"frequency_profile": ""}, "frequency_profile"),
        ({"strength": 1.5}, "in \\[0, 1\\], found 1.5"),
        ({"strength": float("nan")}, "found nan"),
    ],
)
def test_what_is_no_amplification_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Amplification(**wrong)
