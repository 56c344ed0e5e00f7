"""What an encoder saw of whole images, as one vector each."""

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

_FIELDS: Final = 3
"""Fields along each side over which the coarsest features are averaged: where lungs lie counts."""


def embed(features: Sequence[Tensor], content: Tensor) -> Tensor:
    """Pools features (k, c, h, w) of each level over the content (k, 1, H, W), 1 or 0.

    Returns:
        (k, n) float32: mean and standard deviation of each channel, level by level, then the
        coarsest channels' means over fields of the grid, 0 where a field is padding alone.
    """
    parts = []
    for level in features:
        values = level.float()
        weight = F.adaptive_avg_pool2d(content, (values.shape[2], values.shape[3]))
        area = weight.sum(dim=(2, 3)).clamp_min(1e-6)
        mean = (values * weight).sum(dim=(2, 3)) / area
        square = (values.square() * weight).sum(dim=(2, 3)) / area
        parts += [mean, (square - mean.square()).clamp_min(0).sqrt()]
    shares = F.adaptive_avg_pool2d(weight, _FIELDS).clamp_min(1e-6)
    parts.append((F.adaptive_avg_pool2d(values * weight, _FIELDS) / shares).flatten(1))
    return torch.cat(parts, dim=1)
