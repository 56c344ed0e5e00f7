"""MUNIT and diffusion without a condition as degraders: shapes, gradients, what they depend on."""

from typing import cast

import pytest
import torch
from torch import Tensor

from dfsynth.checkpoint import DiffusionConfig, MunitConfig
from dfsynth.models import DegradingNetwork, DiffusionNetwork, Munit, TrainableNetwork
from dfsynth.models.discriminator import MultiScaleDiscriminator

CONFIG = MunitConfig(width=4, halvings=2, blocks=1, style=3)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def images(seed: int, height: int = 16, width: int = 16) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 1, height, width, generator=generator)


def munit() -> Munit:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Munit(CONFIG)


def diffusion(level: int = 200) -> DiffusionNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = DiffusionConfig((8, 16), steps=20, conditional=False, degrade_level=level)
        network = DiffusionNetwork(config)
        # The last convolution of MONAI's U-Net is 0 at first.
        with torch.no_grad():
            for weight in network.parameters():
                weight.add_(0.01)
        return network


def test_everything_has_the_shape_of_its_images_and_lies_in_the_range() -> None:
    network = munit()
    found = network(images(0), images(1), drawn(2, 3), drawn(2, 3, seed=1))
    for made in found[:6]:
        assert made.shape == (2, 1, 16, 16)
        assert made.min() >= 0
        assert made.max() <= 1
    assert network.divisor == 4
    for before, again in zip(found.contents, found.contents_again, strict=True):
        assert before.shape == again.shape == (2, 16, 4, 4)
    for before, again in zip(found.styles, found.styles_again, strict=True):
        assert before.shape == again.shape == (2, 3)


def test_every_weight_learns() -> None:
    network = munit()
    found = network(images(0), images(1), drawn(2, 3), drawn(2, 3, seed=1))
    again = [*found[:6], *found.contents_again, *found.styles_again]
    torch.stack([made.square().mean() for made in again]).sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        # A bias before an instance norm changes nothing, as in the paper.
        if weight.ndim > 1:
            assert weight.grad.abs().sum() > 0, name


def test_both_halves_begin_alike_so_that_dense_stays_dense() -> None:
    network = munit()
    for one, other in zip(network.good.parameters(), network.poor.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("make", [munit, diffusion])
def test_partners_have_the_shape_and_range_of_radiographs(make: object) -> None:
    network = cast(DegradingNetwork, make())  # type: ignore[operator]
    image = images(0, 13, 18)
    noise = drawn(2, *network.noise_shape(13, 18))
    with torch.inference_mode():
        made = network.degrade(image, noise)
        again = network.degrade(image, noise)
        other = network.degrade(image, drawn(2, *network.noise_shape(13, 18), seed=5))
    assert made.shape == image.shape
    assert 0 <= made.min() < made.max() <= 1
    assert torch.equal(made, again)
    assert not torch.equal(made, other)


def test_partners_in_a_batch_are_those_of_single_images() -> None:
    network, image, noise = munit(), images(0), drawn(2, 3)
    with torch.inference_mode():
        together = network.degrade(image, noise)
        for n in range(2):
            alone = network.degrade(image[n : n + 1], noise[n : n + 1])
            torch.testing.assert_close(alone[0], together[n])


def test_diffusion_without_a_condition_sees_no_image() -> None:
    network, noise = diffusion(), drawn(2, 1, 16, 16)
    assert network.unet.conv_in.conv.in_channels == 1
    with torch.inference_mode():
        assert torch.equal(network.draw(images(0), noise), network.draw(images(1), noise))


def test_a_partner_of_little_noise_is_nearer_to_its_radiograph() -> None:
    image, noise = images(0), drawn(2, 1, 16, 16)
    errors = []
    for level in (50, 300, 900):
        with torch.inference_mode():
            made = diffusion(level).degrade(image, noise)
        errors.append(float((made - image).abs().mean()))
    assert errors == sorted(errors)


def test_edges_are_repeated_where_an_image_is_padded() -> None:
    network: TrainableNetwork = munit()
    padded = network.pad_by_edges(torch.arange(6.0).reshape(1, 1, 2, 3))
    assert padded[0, 0].tolist() == [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]]


def test_each_scale_scores_patches_of_an_image_half_as_large() -> None:
    scores = MultiScaleDiscriminator((4, 8), 3)(torch.rand(2, 1, 64, 64))
    assert [tuple(s.shape) for s in scores] == [(2, 1, n, n) for n in (15, 7, 3)]
