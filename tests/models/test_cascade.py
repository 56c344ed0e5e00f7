"""The cascade's wiring: sharing, masks, stages, and what saved weights rely on."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from drawn_networks import known_outputs, maps_of, set_weights
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models import Cascade, Prediction
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.models.unet import UNet

MakeCascade = Callable[..., Cascade]


def draw_masks(network: Cascade, samples: int, seed: int = 0, dropout: float = 0.3) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    kept = torch.rand((samples, network.mask_width), generator=random) >= dropout
    return kept.float() / (1 - dropout)


def images(count: int, height: int = 16, width: int = 24) -> Tensor:
    return torch.rand((count, 1, height, width), generator=torch.Generator().manual_seed(7))


def assert_same(first: Prediction, second: Prediction, atol: float = 1e-5) -> None:
    for a, b in zip(maps_of(first), maps_of(second), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=atol)


def test_samples_that_share_the_encoder_equal_separate_passes(make_cascade: MakeCascade) -> None:
    network = make_cascade(stages=3)
    image, masks = images(2), draw_masks(network, 6)
    together = network(image, masks)
    for index in range(6):
        # The samples of one image lie next to each other.
        alone = network(image[index // 3][None], masks[index : index + 1])
        for stage, single in zip(together, alone, strict=True):
            chosen = [m[index : index + 1] for m in maps_of(stage)]
            for a, b in zip(chosen, maps_of(single), strict=True):
                torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    spread = together[-1].mean[:3].std(dim=0).max()
    assert float(spread) > 1e-3, "the samples are all alike: the comparison shows nothing"


def test_masks_of_ones_are_no_dropout(make_cascade: MakeCascade) -> None:
    network = make_cascade(stages=1)
    stage, image = network.stage(0), images(2)
    features = stage.encode(image)
    # The blocks of this U-Net take None for no mask at all, which a cascade never hands them.
    without = stage.decode(features, [None] * len(stage.dropout_channels))  # type: ignore[list-item]
    ones = stage.decode(features, [torch.ones(2, c) for c in stage.dropout_channels])
    assert torch.equal(without, ones)


@pytest.mark.parametrize("site", range(6))
def test_every_mask_channel_has_an_effect(make_cascade: MakeCascade, site: int) -> None:
    """An epistemic map that a stage's dropout cannot move would be a dead one."""
    network = make_cascade(stages=3)
    sizes = [c for m in range(3) for c in network.stage(m).dropout_channels]
    first = sum(sizes[:site])
    masks = torch.ones(1 + sizes[site], network.mask_width)
    for index in range(sizes[site]):
        masks[1 + index, first + index] = 0
    stages = network(images(1), masks)
    for maps in (stages[-1].mean, stages[-1].sigma):
        change = (maps[1:] - maps[:1]).abs().amax(dim=(1, 2, 3))
        assert (change > 1e-6).all(), f"channels without effect: {(change <= 1e-6).nonzero()}"
    for earlier in stages[: site // 2]:
        assert torch.equal(earlier.mean[1:], earlier.mean[:1].expand_as(earlier.mean[1:]))


def test_masks_are_split_by_stage_then_from_coarse_to_fine(make_cascade: MakeCascade) -> None:
    network = make_cascade(stages=2, widths=(8, 16, 24))
    assert network.mask_width == 2 * (24 + 16 + 8)
    numbered = torch.arange(network.mask_width).float().repeat(2, 1)
    split = network.split_masks(numbered)
    assert [[part.shape[1] for part in stage] for stage in split] == [[24, 16, 8], [24, 16, 8]]
    joined = torch.cat([part for stage in split for part in stage], dim=1)
    assert torch.equal(joined, numbered)


def test_upto_stops_early_and_changes_nothing(make_cascade: MakeCascade) -> None:
    network = make_cascade(stages=3)
    masks = draw_masks(network, 2)
    whole, part = network(images(2), masks), network(images(2), masks, 2)
    assert (len(whole), len(part)) == (3, 2)
    for a, b in zip(whole, part, strict=False):
        assert_same(a, b, atol=0)


def test_only_the_first_stage_of_a_lung_checkpoint_predicts_lung(
    make_cascade: MakeCascade,
) -> None:
    network = make_cascade(stages=2)
    first, second = network(images(1), torch.ones(1, network.mask_width))
    assert first.lung_logit is not None
    assert second.lung_logit is None
    bare = make_cascade(stages=1, lung_head=False)
    assert bare(images(1), torch.ones(1, bare.mask_width))[0].lung_logit is None


def test_a_new_stage_starts_as_the_one_before() -> None:
    torch.manual_seed(3)
    network = Cascade(CascadeConfig(3, (8, 16))).eval()
    first, second, third = network(images(2), draw_masks(network, 2))
    for later in (second, third):
        torch.testing.assert_close(later.mean, first.mean, rtol=0, atol=0)
        torch.testing.assert_close(later.alpha, first.alpha, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(later.beta, first.beta, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(18, 24), (16, 23), (2, 4)])
def test_a_grid_that_cannot_be_halved_is_refused(
    make_cascade: MakeCascade, shape: tuple[int, int]
) -> None:
    network = make_cascade()
    assert network.divisor == 4
    with pytest.raises(ValueError, match=f"divisible by 4, found {shape[0]}x{shape[1]}"):
        network(torch.zeros(1, 1, *shape), torch.ones(1, network.mask_width))


def test_masks_that_the_images_cannot_share_are_refused(make_cascade: MakeCascade) -> None:
    network = make_cascade()
    with pytest.raises(ValueError, match="3 masks cannot be shared by 2 images"):
        network(images(2), torch.ones(3, network.mask_width))


@pytest.mark.parametrize("widths", [(8,), (8, 12), ()])
def test_widths_that_no_group_norm_fits_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        UNet(1, 3, widths)


def test_heads_are_float32_under_autocast(make_cascade: MakeCascade) -> None:
    network = make_cascade(stages=2)
    masks = draw_masks(network, 2)
    plain = network(images(2), masks)
    with torch.autocast("cpu", torch.bfloat16):
        found = network(images(2), masks)
    for stage, exact in zip(found, plain, strict=True):
        for a, b in zip(maps_of(stage), maps_of(exact), strict=True):
            assert a.dtype == torch.float32
            torch.testing.assert_close(a, b, rtol=0, atol=0.1)
    assert not torch.equal(found[0].mean, plain[0].mean), "autocast had no effect"


def test_names_and_shapes_of_the_weights_are_those_of_the_saved_ones() -> None:
    network = Cascade(CascadeConfig(1, (8, 16)))
    assert {name: tuple(w.shape) for name, w in network.state_dict().items()} == {
        "stages.0.stem.weight": (8, 4, 3, 3),
        "stages.0.stem.bias": (8,),
        "stages.0.encoder.0.conv1.weight": (8, 8, 3, 3),
        "stages.0.encoder.0.conv1.bias": (8,),
        "stages.0.encoder.0.norm.weight": (8,),
        "stages.0.encoder.0.norm.bias": (8,),
        "stages.0.encoder.0.conv2.weight": (8, 8, 3, 3),
        "stages.0.encoder.0.conv2.bias": (8,),
        "stages.0.down.0.weight": (16, 8, 3, 3),
        "stages.0.down.0.bias": (16,),
        "stages.0.bottom.conv1.weight": (16, 16, 3, 3),
        "stages.0.bottom.conv1.bias": (16,),
        "stages.0.bottom.norm.weight": (16,),
        "stages.0.bottom.norm.bias": (16,),
        "stages.0.bottom.conv2.weight": (16, 16, 3, 3),
        "stages.0.bottom.conv2.bias": (16,),
        "stages.0.decoder.0.conv1.weight": (8, 24, 3, 3),
        "stages.0.decoder.0.conv1.bias": (8,),
        "stages.0.decoder.0.norm.weight": (8,),
        "stages.0.decoder.0.norm.bias": (8,),
        "stages.0.decoder.0.conv2.weight": (8, 8, 3, 3),
        "stages.0.decoder.0.conv2.bias": (8,),
        "stages.0.detail.weight": (8, 8, 3, 3),
        "stages.0.detail.bias": (8,),
        "stages.0.head1.weight": (16, 9, 3, 3),
        "stages.0.head1.bias": (16,),
        "stages.0.head2.weight": (4, 16, 3, 3),
        "stages.0.head2.bias": (4,),
    }


# At three places: mean, alpha, beta and lung of stage 1, then mean, alpha and beta of stage 2.
KNOWN_OUTPUTS = [
    *(-0.20924, -0.16357, -0.07314),
    *(0.14656, 0.15767, 0.16127),
    *(1.91361, 2.04186, 1.99011),
    *(-0.40423, -0.27363, -0.38121),
    *(-0.30227, -0.2963, -0.35612),
    *(0.18322, 0.18288, 0.15623),
    *(1.906, 1.89467, 1.60967),
]


def test_known_weights_give_the_outputs_that_they_always_gave() -> None:
    """Saved checkpoints keep their meaning only while the arithmetic stays as it is."""
    network = set_weights(Cascade(CascadeConfig(2, (8, 16, 24))), lambda number, _: 0.9 * number)
    found = known_outputs(network, width=24)
    np.testing.assert_allclose(found, KNOWN_OUTPUTS, rtol=0, atol=2e-5)


def test_the_discriminator_scores_patches() -> None:
    discriminator = PatchDiscriminator((8, 16)).eval().requires_grad_(False)
    scores, features = discriminator(images(2, 32, 48))
    assert scores.shape == (2, 1, 7, 11)
    assert [f.shape for f in features] == [(2, 8, 16, 24), (2, 16, 8, 12)]
    # Far from a change the scores stay: it scores patches, not the image.
    changed = images(2, 32, 48)
    changed[:, :, :4, :4] = 5.0
    moved = (discriminator.layers[0](changed) - discriminator.layers[0](images(2, 32, 48))).abs()
    assert float(moved[:, :, 4:, 4:].max()) == 0.0


def test_a_discriminator_of_pairs_sees_both_images() -> None:
    discriminator = PatchDiscriminator((8, 16), channels_in=2).eval().requires_grad_(False)
    pair = torch.cat([images(2, 32, 48), images(2, 32, 48).flip(0)], dim=1)
    scores = discriminator(pair).scores
    assert scores.shape == (2, 1, 7, 11)
    for channel in range(2):
        changed = pair.clone()
        changed[:, channel] += torch.linspace(0, 1, 48)
        assert not torch.allclose(discriminator(changed).scores, scores)
