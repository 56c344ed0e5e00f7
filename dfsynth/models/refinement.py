"""The full-resolution part of a generator that samples on a coarse grid."""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_UNSHUFFLE: Final = 2
_WIDTH: Final = 16
_DETAIL: Final = 8
_STEEPEST: Final = 2.0
"""Bound of the logarithm of the gain."""


@dataclass(frozen=True, slots=True)
class AffineMaps:
    """What is done to every sample of an image at each pixel; (k, 1, H, W) float32."""

    scale: Tensor
    """In (0, 2)."""
    shift: Tensor
    """In the unit of the signal."""
    gain: Tensor
    """Of the standard deviation, above 0."""


class Refinement(nn.Module):
    """Sees the radiograph and the enlarged moments of its samples, and starts by changing nothing.

    An affine map at each pixel, as in joint upsampling by guided filters (He, Sun, Tang, TPAMI
    2013) and bilateral grids (Gharbi et al., SIGGRAPH 2017): it commutes with averages over
    samples, so that it needs to be computed once an image.
    """

    def __init__(self, gains: bool) -> None:
        """Without `gains`, standard deviations stay as they are: one of all pixels remains one."""
        super().__init__()
        self._gains = gains
        self.conv1 = nn.Conv2d(3 * _UNSHUFFLE**2, _WIDTH, 3, padding=1)
        self.conv2 = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.detail = nn.Conv2d(_WIDTH, _DETAIL, 3, padding=1)
        self.head = nn.Conv2d(_DETAIL + 2, 2 + gains, 3, padding=1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor, mean: Tensor, sigma: Tensor) -> AffineMaps:
        """All are (k, 1, H, W); H and W are even."""
        entering = torch.cat([images, mean.to(images.dtype), sigma.to(images.dtype)], dim=1)
        hidden = F.silu(self.conv1(F.pixel_unshuffle(entering, _UNSHUFFLE)))
        detail = self.detail(F.silu(self.conv2(hidden)))
        # The last convolution in float32: steps of bfloat16 would be seen as rings.
        with torch.autocast(device_type=images.device.type, enabled=False):
            detail = F.interpolate(F.silu(detail.float()), scale_factor=_UNSHUFFLE, mode="bilinear")
            raw = self.head(torch.cat([detail, images.float(), mean.float()], dim=1))
            scale, shift = raw[:, 0:1], raw[:, 1:2]
            gain = torch.ones_like(shift)
            if self._gains:
                gain = torch.exp(_STEEPEST * torch.tanh(raw[:, 2:3] / _STEEPEST))
            return AffineMaps(2 * torch.sigmoid(scale), shift, gain)
