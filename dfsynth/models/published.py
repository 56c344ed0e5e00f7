"""The U-Net of the published cascade: wide, with residual blocks of three convolutions and one.

Upadhyay et al., MICCAI 2021, whose code computes each block's long path twice; here it is computed
once. With the widths 64, 128, 256, 512, 512 a stage has 33.0 M parameters and costs 2.47 TFLOP at
1024². Ours: group norm for batch norm, whose statistics would follow the Monte-Carlo samples that
share a batch, and the sites of dropout, which no paper names.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.models.backbone import StageNetwork
from dfsynth.models.normalisation import group_norm, require_widths

PUBLISHED_WIDTHS: Final = (64, 128, 256, 512, 512)


class ResidualBlock(nn.Module):
    """Three 3×3 convolutions beside one, added; channels in → out, same H and W."""

    def __init__(self, channels_in: int, middle: int, channels_out: int) -> None:
        super().__init__()
        self.long = nn.Sequential(
            nn.Conv2d(channels_in, middle, 3, padding=1),
            group_norm(middle),
            nn.ReLU(),
            nn.Conv2d(middle, middle, 3, padding=1),
            group_norm(middle),
            nn.ReLU(),
            nn.Conv2d(middle, channels_out, 3, padding=1),
        )
        self.short = nn.Conv2d(channels_in, channels_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Maps x (n, channels_in, H, W) to (n, channels_out, H, W)."""
        return F.relu(self.long(x) + self.short(x))


class PublishedUNet(StageNetwork):
    """Residual blocks with max pooling down and bilinear interpolation up.

    (n, channels_in, H, W) → (n, channels_out, H, W), float32 also under autocast; H and W
    divisible by `divisor`. Whole channels are dropped after every block of the decoder.
    """

    def __init__(self, channels_in: int, channels_out: int, widths: Sequence[int]) -> None:
        """Builds the network; `widths` are its channels from fine to coarse.

        Raises:
            ValueError: there are fewer than two widths, or one is no multiple of 8.
        """
        super().__init__()
        require_widths(widths)
        self.divisor = 2 ** (len(widths) - 1)
        # Each block going up leaves as many channels as the skip that it will meet.
        leaving = (*widths[-3::-1], widths[0])
        self.dropout_channels = leaving
        self.stem = ResidualBlock(channels_in, widths[0], widths[0])
        self.down = nn.ModuleList(
            ResidualBlock(fine, coarse, coarse) for fine, coarse in pairwise(widths)
        )
        entering = (widths[-1], *leaving[:-1])
        self.up = nn.ModuleList(
            ResidualBlock(coarse + skip, skip, out)
            for coarse, skip, out in zip(entering, widths[-2::-1], leaving, strict=True)
        )
        # The heads are published as one convolution each: together they are one of all channels.
        self.heads = nn.Conv2d(widths[0], channels_out, 3, padding=1)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Encodes x (n, channels_in, H, W) as features from fine to coarse."""
        features = [self.stem(x)]
        for block in self.down:
            features.append(block(F.max_pool2d(features[-1], 2)))
        return features

    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Decodes features to (n, out, H, W) with one mask (n, channels) a site, coarse to fine."""
        *skips, hidden = features
        for block, mask in zip(self.up, masks, strict=True):
            hidden = F.interpolate(hidden, scale_factor=2, mode="bilinear", align_corners=True)
            hidden = block(torch.cat([skips.pop(), hidden], dim=1))
            hidden = hidden * mask[:, :, None, None].to(hidden.dtype)
        # In float32: the spread of a few samples is as small as the steps of bfloat16.
        with torch.autocast(device_type=hidden.device.type, enabled=False):
            output: Tensor = self.heads(hidden.float())
            return output

    def zero_output(self) -> None:
        """Makes the output 0 for every input, until the heads are trained."""
        nn.init.zeros_(self.heads.weight)
        if self.heads.bias is not None:
            nn.init.zeros_(self.heads.bias)
