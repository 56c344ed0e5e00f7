"""The U-Net of structured loss amplification: batch norm, and a change of the image it is given.

Frey et al., structured loss amplification for dark-field CT: four blocks down and four up with 64
to 1024 channels (31.4 M parameters), two 3×3 convolutions with batch norm and ReLU a block,
bilinear up-sampling and a global residual. Assumed, where the paper is silent: max pooling, biases
in the last convolution alone, up-sampled features that keep their channels, and the sites of
dropout, which the published system does not use.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.models.backbone import StageNetwork

_MOMENTUM: Final = 0.1
"""Share of the batch in hand in the running statistics, as is usual."""


class BatchNorm(nn.Module):
    """Batch normalisation of (n, channels, H, W): Ioffe & Szegedy, ICML 2015.

    In training by the statistics of the batch, in evaluation by the running ones, so that an image
    then has one result in any batch. Unlike torch's own it counts no batches: whole numbers have no
    place in a moving average, nor in a checkpoint's float16.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalises x (n, channels, H, W), and moves the running statistics in training."""
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=_MOMENTUM,
        )


def double_convolution(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two 3×3 convolutions with batch norm and ReLU; channels in → out, same H and W."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        BatchNorm(channels_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
        BatchNorm(channels_out),
        nn.ReLU(inplace=True),
    )


class ResidualUNet(StageNetwork):
    """(n, channels_in, H, W) of any range → (n, channels_out, H, W), float32 also under autocast.

    H and W divisible by `divisor`. The first channel out is the first channel in plus what the
    network says: with a last convolution of zeros, the image itself. Whole channels are dropped
    after every block of the decoder.
    """

    def __init__(self, channels_in: int, channels_out: int, widths: Sequence[int]) -> None:
        """Builds the network; `widths` are its channels from fine to coarse.

        Raises:
            ValueError: there are fewer than two widths, or one is under 1.
        """
        super().__init__()
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f"expected at least two widths, each 1 or more, found {tuple(widths)}")
        self.divisor = 2 ** (len(widths) - 1)
        self.dropout_channels = tuple(widths[-2::-1])
        self.stem = double_convolution(channels_in, widths[0])
        self.down = nn.ModuleList(
            double_convolution(fine, coarse) for fine, coarse in pairwise(widths)
        )
        self.up = nn.ModuleList(
            double_convolution(coarse + fine, fine)
            for fine, coarse in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], channels_out, 1)
        self._adds_image = True

    def encode(self, x: Tensor) -> list[Tensor]:
        """Encodes x (n, channels_in, H, W) as x itself, then features from fine to coarse."""
        features = [x, self.stem(x)]
        for block in self.down:
            features.append(block(F.max_pool2d(features[-1], 2)))
        return features

    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Decodes features to (n, out, H, W) with one mask (n, channels) a site, coarse to fine."""
        image, *skips, hidden = features
        for block, mask in zip(self.up, masks, strict=True):
            hidden = F.interpolate(hidden, scale_factor=2, mode="bilinear")
            hidden = block(torch.cat([skips.pop(), hidden], dim=1))
            hidden = hidden * mask[:, :, None, None].to(hidden.dtype)
        # In float32: what is left of streaks is as small as the steps of bfloat16.
        with torch.autocast(device_type=hidden.device.type, enabled=False):
            output: Tensor = self.head(hidden.float())
            if not self._adds_image:
                return output
            return torch.cat([image[:, :1].float() + output[:, :1], output[:, 1:]], dim=1)

    def zero_output(self) -> None:
        """Makes the output 0 for every input, until the head is trained.

        What starts as the stage before it changes that stage's mean, and adds no image to it.
        """
        self._adds_image = False
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)
