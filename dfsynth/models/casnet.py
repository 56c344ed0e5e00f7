"""CasNet: U-blocks one after the other, each refining the image that the one before it made.

Armanious et al., "MedGAN: medical image translation using GANs", Computerized Medical Imaging and
Graphics 2020: six U-blocks of strided 4×4 convolutions down and transposed ones up, trained end to
end by the loss of the last. Ours: group norm, which does not follow the batch, and the sites of
dropout, which stand in the last decoder alone, so that the samples of an image share all before it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.models.backbone import StageNetwork
from dfsynth.models.normalisation import group_norm, require_widths

BLOCKS: Final = 6
"""U-blocks one after the other."""
_SLOPE: Final = 0.2
"""Of the leaky ReLU of encoders."""


class UBlock(nn.Module):
    """An encoder and a decoder with skips: (n, channels_in, H, W) → (n, channels_out, H, W)."""

    def __init__(self, channels_in: int, channels_out: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1)
            for before, after in pairwise((channels_in, *widths))
        )
        # As usual, the outermost layer sees the image as it is.
        self.down_norms = nn.ModuleList(group_norm(width) for width in widths[1:])
        rising = widths[-2::-1]
        entering = (widths[-1], *(2 * width for width in rising[:-1]))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
            for before, after in zip(entering, rising, strict=True)
        )
        self.up_norms = nn.ModuleList(group_norm(width) for width in rising)
        self.out = nn.ConvTranspose2d(2 * widths[0], channels_out, 4, stride=2, padding=1)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Encodes x (n, channels_in, H, W) as features from fine to coarse."""
        features = [F.leaky_relu(self.down[0](x), _SLOPE)]
        for conv, norm in zip(self.down[1:], self.down_norms, strict=True):
            features.append(F.leaky_relu(norm(conv(features[-1])), _SLOPE))
        return features

    def decode(self, features: Sequence[Tensor], masks: Sequence[Tensor] | None = None) -> Tensor:
        """Decodes features to (n, channels_out, H, W), one mask (n, channels) a level if any."""
        *skips, hidden = features
        for level, (conv, norm) in enumerate(zip(self.up, self.up_norms, strict=True)):
            hidden = F.relu(norm(conv(hidden)))
            if masks is not None:
                hidden = hidden * masks[level][:, :, None, None].to(hidden.dtype)
            hidden = torch.cat([hidden, skips.pop()], dim=1)
        # In float32: the spread of a few samples is as small as the steps of bfloat16.
        with torch.autocast(device_type=hidden.device.type, enabled=False):
            output: Tensor = self.out(hidden.float())
            return output

    def forward(self, x: Tensor) -> Tensor:
        """Maps x (n, channels_in, H, W) to (n, channels_out, H, W), float32."""
        return self.decode(self.encode(x))


class CasNet(StageNetwork):
    """`BLOCKS` U-blocks, of which all but the last give one image each.

    (n, channels_in, H, W) → (n, channels_out, H, W), float32 also under autocast; H and W
    divisible by `divisor`.
    """

    def __init__(self, channels_in: int, channels_out: int, widths: Sequence[int]) -> None:
        """Builds the network; `widths` are the channels of every block from fine to coarse.

        Raises:
            ValueError: there are fewer than two widths, or one is no multiple of 8.
        """
        super().__init__()
        require_widths(widths)
        self.divisor = 2 ** len(widths)
        self.dropout_channels = tuple(widths[-2::-1])
        entering = [channels_in] + [1] * (BLOCKS - 1)
        self.blocks = nn.ModuleList(UBlock(c, 1, widths) for c in entering[:-1])
        self.last = UBlock(entering[-1], channels_out, widths)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Passes x (n, channels_in, H, W) on to the features of the last block, fine to coarse."""
        for block in self.blocks:
            x = block(x)
        return self.last.encode(x)

    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Decodes features to (n, out, H, W) with one mask (n, channels) a site, coarse to fine."""
        return self.last.decode(features, masks)

    def zero_output(self) -> None:
        """Makes the output 0 for every input, until the last layer is trained."""
        nn.init.zeros_(self.last.out.weight)
        assert self.last.out.bias is not None
        nn.init.zeros_(self.last.out.bias)
