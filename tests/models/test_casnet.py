"""CasNet: six blocks one after the other, of which each sees the image of the one before."""

import pytest
import torch

from dfsynth.models.casnet import BLOCKS, CasNet


def drawn(channels_in: int = 1, channels_out: int = 1) -> CasNet:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return CasNet(channels_in, channels_out, (8, 16, 16))


def test_each_block_sees_the_image_of_the_block_before() -> None:
    network = drawn(channels_in=2, channels_out=3).requires_grad_(False)
    x = torch.rand(2, 2, 16, 24, generator=torch.Generator().manual_seed(0))
    hidden = x
    for block in network.blocks:
        hidden = block(hidden)
        assert hidden.shape == (2, 1, 16, 24)
    assert len(network.blocks) + 1 == BLOCKS == 6
    masks = [torch.ones(2, channels) for channels in network.dropout_channels]
    found = network.decode(network.encode(x), masks)
    assert found.shape == (2, 3, 16, 24)
    torch.testing.assert_close(found, network.last(hidden))


def test_the_loss_of_the_last_trains_all_blocks() -> None:
    network = drawn()
    masks = [torch.ones(1, channels) for channels in network.dropout_channels]
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    network.decode(network.encode(x), masks).square().mean().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
    for block in (*network.blocks, network.last):
        assert float(block.down[0].weight.grad.abs().max()) > 0


def test_dropped_channels_change_the_last_decoder_alone() -> None:
    network = drawn().requires_grad_(False)
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    masks = [torch.ones(1, channels) for channels in network.dropout_channels]
    features = network.encode(x)
    whole = network.decode(features, masks)
    for site in range(len(masks)):
        dropped = [m.clone() for m in masks]
        dropped[site][:, 0] = 0
        assert not torch.equal(network.decode(features, dropped), whole)


def test_widths_that_cannot_be_normalised_are_refused() -> None:
    for widths in ((8,), (8, 12)):
        with pytest.raises(ValueError, match="multiple of 8"):
            CasNet(1, 1, widths)
