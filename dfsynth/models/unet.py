"""The compact U-Net of one stage.

It works on the 2× pixel-unshuffled image, so that the widest maps have a quarter of the pixels,
and samples by channel dropout in the decoder alone, so that many samples can share one encoder
pass. Masks come in as an argument: the network draws nothing itself.
"""

import itertools
from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.models.backbone import StageNetwork
from dfsynth.models.normalisation import group_norm, require_widths

UNSHUFFLE: Final = 2
_DETAIL_CHANNELS: Final = 8
_HEAD_CHANNELS: Final = 16


class ConvBlock(nn.Module):
    """Two 3×3 convolutions with group norm between, around a skip; channels in → out, same H, W."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.norm = group_norm(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Maps x (n, channels_in, H, W) to (n, channels_out, H, W).

        The mask (n, channels_out) multiplies whole channels.
        """
        first = self.conv1(x)
        hidden = F.silu(self.norm(first))
        if mask is not None:
            hidden = hidden * mask[:, :, None, None].to(hidden.dtype)
        return F.silu(first + self.conv2(hidden))


class UNet(StageNetwork):
    """Encoder, decoder and a full-resolution head; (n, channels_in, H, W) → (n, out, H, W).

    H and W must be divisible by `divisor`. The output is float32 also under autocast.
    """

    def __init__(self, channels_in: int, channels_out: int, widths: Sequence[int]) -> None:
        """Builds the network; `widths` are its channels from fine to coarse.

        Raises:
            ValueError: there are fewer than two widths, or one is no multiple of 8.
        """
        super().__init__()
        require_widths(widths)
        self.divisor = UNSHUFFLE * 2 ** (len(widths) - 1)
        self.dropout_channels = tuple(reversed(widths))
        self.stem = nn.Conv2d(channels_in * UNSHUFFLE**2, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(ConvBlock(w, w) for w in widths[:-1])
        self.down = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1)
            for fine, coarse in itertools.pairwise(widths)
        )
        self.bottom = ConvBlock(widths[-1], widths[-1])
        self.decoder = nn.ModuleList(
            ConvBlock(coarse + fine, fine)
            for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.detail = nn.Conv2d(widths[0], _DETAIL_CHANNELS, 3, padding=1)
        self.head1 = nn.Conv2d(_DETAIL_CHANNELS + channels_in, _HEAD_CHANNELS, 3, padding=1)
        self.head2 = nn.Conv2d(_HEAD_CHANNELS, channels_out, 3, padding=1)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Encodes x (n, channels_in, H, W) as x itself, then features from fine to coarse."""
        features = [x]
        hidden = F.silu(self.stem(F.pixel_unshuffle(x, UNSHUFFLE)))
        for block, down in zip(self.encoder, self.down, strict=True):
            hidden = block(hidden)
            features.append(hidden)
            hidden = F.silu(down(hidden))
        features.append(hidden)
        return features

    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Decodes features to (n, out, H, W) with one mask (n, channels) a site, coarse to fine."""
        image, *skips = features
        hidden = self.bottom(skips.pop(), masks[0])
        for block, mask in zip(self.decoder, masks[1:], strict=True):
            skip = skips.pop()
            # Bilinear, not transposed convolution: no checkerboard by construction.
            hidden = F.interpolate(hidden, size=skip.shape[-2:], mode="bilinear")
            hidden = block(torch.cat([hidden, skip], dim=1), mask)
        pieces = zip(self._pieces(hidden), self._pieces(image), strict=True)
        return torch.cat([self._finish(h, p) for h, p in pieces])

    def zero_output(self) -> None:
        """Makes the output 0 for every input, until the head is trained."""
        nn.init.zeros_(self.head2.weight)
        if self.head2.bias is not None:
            nn.init.zeros_(self.head2.bias)

    def _finish(self, hidden: Tensor, image: Tensor) -> Tensor:
        """The head at full resolution, in float32.

        The spread of a few samples is as small as the steps of bfloat16.
        """
        with torch.autocast(device_type=hidden.device.type, enabled=False):
            detail = self.detail(hidden.float())
            detail = F.interpolate(detail, size=image.shape[-2:], mode="bilinear")
            hidden = F.silu(self.head1(torch.cat([detail, image.float()], dim=1)))
            output: Tensor = self.head2(hidden)
            return output

    def _pieces(self, batch: Tensor) -> tuple[Tensor, ...]:
        """One by one on a CPU, whose caches do not hold full-resolution maps of a whole batch.

        In training they are kept for the way back in any case, and few large operations are faster.
        """
        alone = batch.device.type == "cpu" and not torch.is_grad_enabled()
        return batch.split(1) if alone else (batch,)
