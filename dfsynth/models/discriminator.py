"""The discriminator: scores overlapping patches of a dark-field image."""

import itertools
from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """Strided convolutions with instance norm, (n, channels_in, H, W) → (n, 1, h, w) scores.

    One channel is unconditional, as Upadhyay et al. 2021 write D(b); two are the radiograph and
    its dark-field image, as Isola et al., CVPR 2017, discriminate pairs.
    """

    LEAST_SIDE: Final = 16
    """Below it, instance norm has one pixel left."""

    def __init__(self, widths: Sequence[int] = (16, 32, 64), channels_in: int = 1) -> None:
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

    def forward(self, images: Tensor) -> Tensor:
        """Scores the patches of images (n, channels_in, H, W) as (n, 1, h, w), real near 1."""
        scores: Tensor = self.layers(images)
        return scores
