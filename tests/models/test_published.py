"""The published U-Net: wiring, what it drops, and that nothing depends on the batch."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from dfsynth.models.published import PublishedUNet


def new_unet(widths: Sequence[int] = (8, 16, 24), channels_out: int = 3) -> PublishedUNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return PublishedUNet(1, channels_out, widths).eval().requires_grad_(False)


def full(network: PublishedUNet, count: int) -> list[Tensor]:
    return [torch.ones(count, c) for c in network.dropout_channels]


def draw_images(count: int) -> Tensor:
    return torch.rand((count, 1, 16, 24), generator=torch.Generator().manual_seed(4))


@pytest.mark.parametrize(
    ("widths", "dropped", "divisor"),
    [
        ((8, 16), (8,), 2),
        ((8, 16, 24), (8, 8), 4),
        ((8, 16, 24, 32, 40), (24, 16, 8, 8), 16),
    ],
)
def test_any_depth_fits_together(
    widths: tuple[int, ...], dropped: tuple[int, ...], divisor: int
) -> None:
    network = new_unet(widths)
    assert (network.dropout_channels, network.divisor) == (dropped, divisor)
    image = torch.rand(2, 1, divisor, 3 * divisor)
    found = network.decode(network.encode(image), full(network, 2))
    assert found.shape == (2, 3, divisor, 3 * divisor)


@pytest.mark.parametrize("widths", [(8,), (8, 12), (4, 8), ()])
def test_widths_that_no_group_norm_fits_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        PublishedUNet(1, 3, widths)


def test_an_image_does_not_depend_on_the_batch_it_travels_in() -> None:
    """In training mode too: batch statistics would shift with Monte-Carlo samples."""
    network = new_unet().train()
    batch = draw_images(3)
    together = network.decode(network.encode(batch), full(network, 3))
    alone = network.decode(network.encode(batch[1:2]), full(network, 1))
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-5)


def test_the_images_far_corner_is_seen() -> None:
    network = new_unet()
    changed = draw_images(1)
    changed[..., 0, 0] += 1
    far = (slice(None), slice(None), -1, -1)
    before, after = (
        network.decode(network.encode(p), full(network, 1))[far] for p in (draw_images(1), changed)
    )
    assert not torch.equal(before, after)


@pytest.mark.parametrize("site", [0, 1])
def test_dropping_channels_changes_the_output(site: int) -> None:
    network = new_unet()
    features = network.encode(draw_images(1))
    masks = full(network, 1)
    whole = network.decode(features, masks)
    masks[site] = torch.zeros_like(masks[site])
    without = network.decode(features, masks)
    assert not torch.allclose(whole, without)
    if site == len(masks) - 1:
        # Nothing is left of the image behind the last site.
        assert float(without.std(dim=(2, 3)).max()) == 0


def test_heads_are_float32_under_autocast() -> None:
    network = new_unet()
    plain = network.decode(network.encode(draw_images(1)), full(network, 1))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = network.decode(network.encode(draw_images(1)), full(network, 1))
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, rtol=0, atol=0.1)
    assert not torch.equal(mixed, plain), "autocast had no effect"


def test_zero_output_is_zero_and_can_still_be_trained() -> None:
    network = new_unet().requires_grad_(True)
    network.zero_output()
    found = network.decode(network.encode(draw_images(1)), full(network, 1))
    assert not found.any()
    found.sum().backward()
    assert network.heads.weight.grad is not None
    assert network.heads.weight.grad.any()
