"""The residual U-Net: wiring, what it adds to the image, and whose statistics it goes by."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from small_cards import small_card
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig, read_checkpoint
from dfsynth.inference import load_network, save_checkpoint
from dfsynth.inference.generator import CascadeGenerator
from dfsynth.models import CascadeNetwork, build_cascade
from dfsynth.models.residual_unet import BatchNorm, ResidualUNet
from dfsynth.models.weights import decode_weights, encode_weights


def new_unet(widths: Sequence[int] = (8, 16, 24), channels_out: int = 1) -> ResidualUNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ResidualUNet(1, channels_out, widths).eval()


def draw_images(count: int, side: int = 16) -> Tensor:
    """Coefficients in 1/m, from about -5 to 10."""
    random = torch.Generator().manual_seed(4)
    return 2.5 + 2.5 * torch.randn((count, 1, side, side + 8), generator=random)


def run(network: ResidualUNet, images: Tensor) -> Tensor:
    masks = [torch.ones(len(images), c) for c in network.dropout_channels]
    return network.decode(network.encode(images), masks)


def trained(network: ResidualUNet) -> ResidualUNet:
    """With running statistics of other images."""
    network.train()
    with torch.no_grad():
        for seed in range(3):
            run(network, draw_images(4) + seed)
    return network.eval()


@pytest.mark.parametrize(
    ("widths", "dropped", "divisor"),
    [
        ((4, 6), (4,), 2),
        ((8, 16, 24), (16, 8), 4),
        ((1, 2, 3, 4, 5), (4, 3, 2, 1), 16),
    ],
)
def test_any_depth_fits_together(
    widths: tuple[int, ...], dropped: tuple[int, ...], divisor: int
) -> None:
    network = new_unet(widths, channels_out=3)
    assert (network.dropout_channels, network.divisor) == (dropped, divisor)
    found = run(network, torch.rand(2, 1, divisor, 3 * divisor))
    assert found.shape == (2, 3, divisor, 3 * divisor)


def test_the_published_widths_have_31_million_parameters() -> None:
    with torch.device("meta"):
        network = ResidualUNet(1, 1, (64, 128, 256, 512, 1024))
    assert network.divisor == 16
    assert sum(p.numel() for p in network.parameters()) == 31_383_681


@pytest.mark.parametrize("widths", [(8,), (8, 0), ()])
def test_widths_that_make_no_u_net_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least two widths, each 1 or more"):
        ResidualUNet(1, 1, widths)


def test_without_a_last_convolution_it_is_the_image_whatever_its_range() -> None:
    network = new_unet(channels_out=2)
    torch.nn.init.zeros_(network.head.weight)
    assert network.head.bias is not None
    torch.nn.init.zeros_(network.head.bias)
    images = draw_images(2)
    assert float(images.min()) < -2
    assert float(images.max()) > 7
    found = run(network, images)
    assert torch.equal(found[:, :1], images)
    assert not found[:, 1:].any()


def test_zero_output_is_zero_and_can_still_be_trained() -> None:
    network = new_unet()
    network.zero_output()
    found = run(network, draw_images(1))
    assert not found.any()
    found.sum().backward()
    assert network.head.weight.grad is not None
    assert network.head.weight.grad.any()


@torch.no_grad()
def test_an_image_does_not_depend_on_the_batch_it_travels_in_once_trained() -> None:
    network, batch = trained(new_unet()), draw_images(3)
    torch.testing.assert_close(run(network, batch)[1:2], run(network, batch[1:2]))
    network.train()
    # While it is trained, it does: or the statistics would be those of no batch.
    assert not torch.allclose(run(network, batch)[1:2], run(network, batch[1:2]), atol=1e-2)


@torch.no_grad()
def test_batch_norm_is_the_usual_one() -> None:
    ours, usual = BatchNorm(3), torch.nn.BatchNorm2d(3)
    for seed in range(3):
        x = torch.randn((4, 3, 5, 6), generator=torch.Generator().manual_seed(seed)) * 3 + 1
        assert torch.equal(ours(x), usual(x))
    assert torch.equal(ours.eval()(x), usual.eval()(x))
    assert set(ours.state_dict()) == set(usual.state_dict()) - {"num_batches_tracked"}


@torch.no_grad()
def test_the_output_is_float32_under_autocast() -> None:
    network = trained(new_unet())
    plain = run(network, draw_images(1))
    with torch.autocast("cpu", torch.bfloat16):
        mixed = run(network, draw_images(1))
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, plain, rtol=0, atol=0.1)
    assert not torch.equal(mixed, plain), "autocast had no effect"


@pytest.mark.parametrize("site", [0, 1])
@torch.no_grad()
def test_dropping_channels_changes_the_output(site: int) -> None:
    network = new_unet()
    image = draw_images(1)
    masks = [torch.ones(1, c) for c in network.dropout_channels]
    masks[site] = torch.zeros_like(masks[site])
    change = network.decode(network.encode(image), masks) - image
    assert not torch.allclose(change, run(network, image) - image)
    if site == len(masks) - 1:
        # Nothing is left but the image behind the last site.
        assert float(change.std()) == pytest.approx(0, abs=1e-6)


def test_running_statistics_are_kept_as_they_are() -> None:
    """Their variances leave what float16 can hold."""
    network = new_unet()
    statistics = dict(network.named_buffers())
    statistics["stem.1.running_var"].fill_(1e6)
    statistics["stem.1.running_mean"].fill_(1 / 3)
    state = decode_weights(encode_weights(network), "weights")
    assert all(torch.equal(state[name], value) for name, value in statistics.items())
    assert state.keys() == network.state_dict().keys()
    statistics["stem.1.running_var"].fill_(torch.inf)
    with pytest.raises(ValueError, match=r"stem\.1\.running_var"):
        encode_weights(network)


@torch.no_grad()
def test_a_checkpoint_brings_statistics_back(tmp_path: Path) -> None:
    config = CascadeConfig(1, (4, 8), 0.0, False, "residual-unet", likelihood="point")
    network = build_cascade(config)
    unet = network.stage(0)
    assert isinstance(unet, ResidualUNet)
    trained(unet)
    save_checkpoint(tmp_path / "kept", network, small_card(config))
    found = load_network(read_checkpoint(tmp_path / "kept"))
    assert isinstance(found, CascadeNetwork)
    assert not found.training
    expected = dict(network.named_buffers())
    assert expected.keys() == dict(found.named_buffers()).keys()
    assert all(torch.equal(expected[name], kept) for name, kept in found.named_buffers())
    masks = torch.ones(2, network.mask_width)
    [one], [other] = (n.eval()(draw_images(2), masks) for n in (network, found))
    torch.testing.assert_close(one.mean, other.mean, rtol=1e-2, atol=1e-2)


def test_generated_maps_are_those_of_one_pass_in_evaluation_mode() -> None:
    config = CascadeConfig(1, (4, 8), 0.0, False, "residual-unet", likelihood="point")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_cascade(config).train()
    images = torch.rand((3, 18, 17), generator=torch.Generator().manual_seed(1)).numpy()
    generate = CascadeGenerator([network], torch.device("cpu"), "fp32", mc_samples=20)
    maps = generate(images)
    assert generate.auto_batch_size((18, 17)) == 32
    assert maps.mean.shape == (3, 18, 17)
    assert not maps.epistemic.any()
    # One width for all pixels: that of the likelihood.
    assert float(maps.aleatoric.max()) == pytest.approx(float(maps.aleatoric.min()), rel=1e-6)
    alone = generate(images[1:2], ["1"])
    torch.testing.assert_close(
        torch.from_numpy(maps.mean[1:2]), torch.from_numpy(alone.mean), rtol=0, atol=1e-5
    )
