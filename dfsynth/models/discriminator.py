"""The discriminator: scores overlapping patches of a dark-field image."""

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

DISCRIMINATOR_WIDTHS: Final = (16, 32, 64)
"""Channels of its hidden layers unless a recipe says others."""


class Judgement(NamedTuple):
    """What a discriminator makes of n images."""

    scores: Tensor
    """(n, 1, h, w), real near 1."""
    features: list[Tensor]
    """Of each hidden layer after its activation, (n, width, H / 2^layer, W / 2^layer), fine first.
    """


class PatchDiscriminator(nn.Module):
    """Strided convolutions with instance norm; its input is (n, channels_in, H, W).

    One channel is unconditional, as Upadhyay et al. 2021 write D(b); two are the radiograph and
    its dark-field image, as Isola et al., CVPR 2017, discriminate pairs.
    """

    def __init__(
        self,
        widths: Sequence[int] = DISCRIMINATOR_WIDTHS,
        channels_in: int = 1,
        normalise: bool = True,
    ) -> None:
        """`normalise` says whether hidden layers but the first have instance norm."""
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(channels_in, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for before, after in itertools.pairwise(widths):
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
            if normalise:
                layers.append(nn.InstanceNorm2d(after))
            layers.append(nn.LeakyReLU(0.2))
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Judgement:
        """Scores the patches of images (n, channels_in, H, W), and gives the features behind."""
        features = []
        hidden = images
        for layer in self.layers:
            hidden = layer(hidden)
            if isinstance(layer, nn.LeakyReLU):
                features.append(hidden)
        return Judgement(hidden, features)


class MultiScaleDiscriminator(nn.Module):
    """Patch discriminators without norms, of the image and of its halves: (n, 1, H, W).

    Wang et al., "High-resolution image synthesis and semantic manipulation with conditional GANs",
    CVPR 2018, as Huang et al., ECCV 2018, have them.
    """

    def __init__(self, widths: Sequence[int], scales: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            PatchDiscriminator(widths, normalise=False) for _ in range(scales)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Scores the patches of images (n, 1, H, W): a map (n, 1, h, w) for each scale."""
        found = []
        for scale, discriminator in enumerate(self.scales):
            if scale:
                images = F.avg_pool2d(images, 3, 2, 1, count_include_pad=False)
            found.append(discriminator(images).scores)
        return found


def least_side(widths: Sequence[int]) -> int:
    """Gives the least side of an image in pixels: below it, instance norm has one pixel left."""
    return int(2 ** (len(widths) + 1))
