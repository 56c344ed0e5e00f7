"""What a later stage sees of the stage before it."""

from typing import Final

import torch
from torch import Tensor

from dfsynth.checkpoint import Guidance
from dfsynth.models.heads import Prediction

GUIDE_CHANNELS: Final[dict[Guidance, int]] = {"attention": 1, "concat": 3, "none": 1}
"""Channels that a later stage sees beside the radiograph."""


def guide(mean: Tensor, sigma: Tensor) -> Tensor:
    """Computes the attention map mean ⊙ sigma / mean(sigma); all are (n, 1, H, W) float32.

    Upadhyay et al. 2021, equation 5, with the mean over the image in place of the sum, so that
    the map's scale does not depend on the image's size.
    """
    return mean * (sigma / sigma.mean(dim=(1, 2, 3), keepdim=True))


def guidance_maps(guidance: Guidance, before: Prediction) -> Tensor:
    """Makes what a stage sees of the one before it, (n, 1 or 3, H, W) float32.

    `attention` is the equation above. `concat` is mean, alpha and beta, as the published code
    has it (alpha or beta are constant under likelihoods that fix them). `none` is the ablation:
    the mean as it is, without weighting by sigma; nothing else of the stage before.
    """
    if guidance == "concat":
        return torch.cat([before.mean, before.alpha, before.beta], dim=1)
    return guide(before.mean, before.sigma) if guidance == "attention" else before.mean
