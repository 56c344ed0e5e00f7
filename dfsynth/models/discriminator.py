"""The discriminator: scores overlapping patches of a dark-field image."""

import itertools
from collections.abc import Sequence
from typing import Final, NamedTuple

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

    def __init__(self, widths: Sequence[int] = DISCRIMINATOR_WIDTHS, channels_in: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(channels_in, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
        ]
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 4, stride=2, padding=1),
                nn.InstanceNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
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


def least_side(widths: Sequence[int]) -> int:
    """Gives the least side of an image in pixels: below it, instance norm has one pixel left."""
    return int(2 ** (len(widths) + 1))
