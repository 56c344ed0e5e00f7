"""Networks that turn noise into images: shapes, gradients, mixing, and exact steps."""

import sys
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from dfsynth.checkpoint import NOISE_LEVELS, DiffusionConfig, FlowConfig
from dfsynth.errors import UsageError
from dfsynth.models import Denoiser, DiffusionNetwork, FlowNetwork

SPAN = (-1.0, 3.0)
SIDE = 12
TRACE = 0.03
"""What the last level of noise still holds of the output, which pure noise does not."""


def diffusion(steps: int = 4) -> Denoiser:
    return DiffusionNetwork(DiffusionConfig((8, 16), 1, SPAN, steps))


def flow(steps: int = 4) -> Denoiser:
    return FlowNetwork(FlowConfig((8, 16), 1, SPAN, steps))


@pytest.fixture(params=[diffusion, flow])
def make(request: pytest.FixtureRequest) -> Callable[..., Denoiser]:
    found: Callable[..., Denoiser] = request.param
    return found


def noise(seed: int, count: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 1, SIDE, SIDE, generator=generator)


def test_every_weight_learns_from_both_images(make: Callable[..., Denoiser]) -> None:
    network = make()
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01)
    image, times = noise(0).requires_grad_(True), network.times(torch.tensor([0.2, 0.9]))
    noisy, wanted = network.training_pair(noise(1), noise(2), times)
    noisy.requires_grad_(True)
    predicted = network(noisy, image, times)
    assert predicted.shape == wanted.shape == image.shape
    (predicted - wanted).square().mean().backward()
    learning: list[Tensor] = [image, noisy, *network.parameters()]
    for tensor in learning:
        assert tensor.grad is not None
        assert tensor.grad.abs().sum() > 0


def test_values_of_the_span_travel_as_minus_one_to_one(make: Callable[..., Denoiser]) -> None:
    network = make()
    values = torch.tensor([-1.0, 1.0, 3.0, 5.0])
    normalised = network.normalise(values, noise(0))
    torch.testing.assert_close(normalised, torch.tensor([-1.0, 0.0, 1.0, 2.0]))
    torch.testing.assert_close(network.restore(normalised, noise(0)), values)


@pytest.mark.parametrize(
    "network",
    [
        DiffusionNetwork(DiffusionConfig((8, 16), 1, SPAN, 4, residual=0.5)),
        FlowNetwork(FlowConfig((8, 16), 1, SPAN, 4, residual=0.5)),
    ],
)
def test_with_a_residual_what_is_beyond_the_input_travels(network: Denoiser) -> None:
    image, output = noise(0), noise(1)
    normalised = network.normalise(output, image)
    # The span is 4 wide and counts as 2, and a residual of 0.5 of that as 1.
    torch.testing.assert_close(normalised, output - image)
    torch.testing.assert_close(network.restore(normalised, image), output)
    with torch.no_grad():
        for weight in network.parameters():
            weight.zero_()
    start = noise(2)
    beyond = [network.draw(given, start) - given for given in (image, output)]
    torch.testing.assert_close(*beyond)
    assert beyond[0].abs().sum() > 0


def test_images_are_padded_to_what_the_network_can_halve(make: Callable[..., Denoiser]) -> None:
    network = make()
    assert network.divisor == 2
    assert network.pad(torch.zeros(1, 1, 5, 6)).shape == (1, 1, 6, 6)
    assert network.stage(0) is network.unet


def test_flow_goes_straight_from_the_output_to_noise() -> None:
    network, image, drawn = flow(), noise(0, 3), noise(1, 3)
    times = network.times(torch.tensor([0.0, 0.25, 0.75]))
    assert times.tolist() == [0.0, 0.25 * NOISE_LEVELS, 0.75 * NOISE_LEVELS]
    noisy, velocity = network.training_pair(image, drawn, times)
    for mixed, x, n, t in zip(noisy, image, drawn, (0.0, 0.25, 0.75), strict=True):
        torch.testing.assert_close(mixed, (1 - t) * x + t * n)
    torch.testing.assert_close(velocity, image - drawn)


def test_diffusion_keeps_the_variance_and_ends_in_noise() -> None:
    network = diffusion()
    levels = network.times(torch.tensor([0.0, 0.5, 0.99999999]))
    assert levels.tolist() == [0, 500, 999]
    one, zero = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    signal, minus_share = (found[:, 0, 0, 0] for found in network.training_pair(one, zero, levels))
    share, same_signal = (found[:, 0, 0, 0] for found in network.training_pair(zero, one, levels))
    torch.testing.assert_close(signal.square() + share.square(), torch.ones(3))
    torch.testing.assert_close(minus_share, -share)
    torch.testing.assert_close(same_signal, signal)
    assert signal[0] > 0.999
    assert signal[2] < 0.01


@pytest.mark.parametrize("steps", [1, 2, 5, 20])
def test_a_network_that_knows_the_output_draws_it_from_any_noise(
    make: Callable[..., Denoiser], monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """Also, what it is shown on the way is as noisy as the time that it is told says."""
    network, output, start = make(steps), noise(0), noise(1)
    normalised = network.normalise(output, output)
    shown: list[float] = []

    def forward(_: Denoiser, noisy: Tensor, image: Tensor, times: Tensor) -> Tensor:
        assert image is given
        if isinstance(network, DiffusionNetwork):
            times = times.long()
        expected, velocity = network.training_pair(normalised, start, times)
        torch.testing.assert_close(noisy, expected, rtol=0, atol=TRACE)
        shown.append(float(times[0]))
        return velocity

    monkeypatch.setattr(type(network), "forward", forward)
    given = noise(2)
    torch.testing.assert_close(network.draw(given, start), output, rtol=0, atol=4 * TRACE)
    assert len(shown) == steps
    lengths = {round(a - b, 6) for a, b in pairwise(shown)}
    assert lengths <= {NOISE_LEVELS / steps}


def test_a_missing_library_is_one_line(
    make: Callable[..., Denoiser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "einops", None)
    with pytest.raises(UsageError, match=r"einops, which is not installed; .*dfsynth\[diffusion\]"):
        make()
