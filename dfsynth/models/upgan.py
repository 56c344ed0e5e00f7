"""Uncertainty-guided progressive generator: a cascade of U-Nets with generalised Gaussian heads.

Upadhyay et al., MICCAI 2021 (the cascade, its heads and attention); Felsner et al., ISBI 2026
(dark-field, Monte-Carlo dropout in every stage). Ours, and not in the papers: the compact U-Net,
and that stages after the first predict a change of the mean of the stage before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models.gennorm import gennorm_sigma
from dfsynth.models.unet import UNet

ALPHA_FLOOR = 1e-3
"""Of the dark-field window [0, 1]."""
BETA_LOW, BETA_HIGH = 0.5, 8.0
"""Smooth bounds: at beta 0.3 the standard deviation is 361 alpha, at 0.5 it is 11."""
_BETA_START = -1.4
"""Added to the raw beta so that training starts near beta 2 (Gaussian)."""
_ALPHA_START = -2.0
"""Added to the raw alpha so that training starts near alpha 0.13."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one stage says of every pixel; float32, each (n, 1, H, W)."""

    mean: Tensor
    alpha: Tensor
    beta: Tensor
    lung_logit: Tensor | None

    @property
    def sigma(self) -> Tensor:
        """Aleatoric standard deviation, (n, 1, H, W)."""
        return gennorm_sigma(self.alpha, self.beta)


def guide(mean: Tensor, sigma: Tensor) -> Tensor:
    """The attention map mean ⊙ sigma / mean(sigma), (n, 1, H, W) float32.

    Upadhyay et al. 2021, equation 5, with the mean over the image in place of the sum, so that
    the map's scale does not depend on the image's size.
    """
    return mean * (sigma / sigma.mean(dim=(1, 2, 3), keepdim=True))


class Cascade(nn.Module):
    """M stages; each sees the radiograph and, after the first, the stage before it.

    The lung output, where there is one, belongs to the first stage.
    """

    def __init__(self, config: CascadeConfig) -> None:
        super().__init__()
        self.config = config
        self.stages = nn.ModuleList(
            UNet(1 if m == 0 else 2, 4 if m == 0 and config.lung_head else 3, config.widths)
            for m in range(config.stages)
        )
        for stage in list(self.stages)[1:]:
            # A new stage starts as the one before it: its change of the mean starts at zero.
            assert isinstance(stage, UNet)
            nn.init.zeros_(stage.head2.weight)
            if stage.head2.bias is not None:
                nn.init.zeros_(stage.head2.bias)

    @property
    def divisor(self) -> int:
        """Both sides of the grid must be divisible by this."""
        return self.stage(0).divisor

    @property
    def mask_width(self) -> int:
        """Channels that dropout can silence, all stages together."""
        return sum(sum(self.stage(m).dropout_channels) for m in range(self.config.stages))

    def stage(self, m: int) -> UNet:
        stage = self.stages[m]
        assert isinstance(stage, UNet)
        return stage

    def split_masks(self, masks: Tensor) -> list[list[Tensor]]:
        """(n, mask_width) → for each stage, for each dropout site, (n, channels)."""
        sizes = [list(self.stage(m).dropout_channels) for m in range(self.config.stages)]
        parts = iter(torch.split(masks, [c for stage in sizes for c in stage], dim=1))
        return [[next(parts) for _ in stage] for stage in sizes]

    def forward(self, image: Tensor, masks: Tensor, upto: int | None = None) -> list[Prediction]:
        """Predictions of the stages 1 … `upto` (all of them by default).

        image: (k, 1, H, W) in [0, 1], dense is bright. masks: (n, mask_width) with n a multiple
        of k: the n / k samples of one image lie next to each other and share the first stage's
        encoder. Values are 0 (dropped) or 1 / (1 − dropout).

        Raises:
            ValueError: H or W is not divisible by `divisor`, or n is no multiple of k.
        """
        height, width = image.shape[-2:]
        if height % self.divisor or width % self.divisor:
            raise ValueError(
                f"the grid must be divisible by {self.divisor}, found {height}x{width}"
            )
        samples, rest = divmod(masks.shape[0], image.shape[0])
        if rest:
            raise ValueError(f"{masks.shape[0]} masks cannot be shared by {image.shape[0]} images")
        per_stage = self.split_masks(masks)
        features = self.stage(0).encode(image)
        if samples > 1:
            features = [f.repeat_interleave(samples, dim=0) for f in features]
            image = image.repeat_interleave(samples, dim=0)
        predictions = [interpret(self.stage(0).decode(features, per_stage[0]), None)]
        for m in range(1, self.config.stages if upto is None else upto):
            predictions.append(self.refine(m, image, predictions[-1], per_stage[m]))
        return predictions

    def refine(
        self, m: int, image: Tensor, before: Prediction, masks: Sequence[Tensor]
    ) -> Prediction:
        """Stage m (from 0) on image (n, 1, H, W) and the prediction of stage m − 1."""
        guided = torch.cat([image, guide(before.mean, before.sigma).to(image.dtype)], dim=1)
        stage = self.stage(m)
        return interpret(stage.decode(stage.encode(guided), masks), before)


def interpret(raw: Tensor, before: Prediction | None) -> Prediction:
    """The U-Net's output (n, 3 or 4, H, W) as mean, alpha > 0, bounded beta and lung logit.

    Later stages start from the stage before: their raw output is a change of its mean, and of
    its alpha and beta on the raw (unbounded) scale, so that a zero output changes nothing.
    """
    mean, raw_alpha, raw_beta = raw[:, 0:1], raw[:, 1:2], raw[:, 2:3]
    lung_logit = raw[:, 3:4] if raw.shape[1] > 3 else None
    if before is not None:
        mean = before.mean + mean
        raw_alpha = raw_alpha + _inverse_softplus(before.alpha - ALPHA_FLOOR)
        share = (before.beta - BETA_LOW) / (BETA_HIGH - BETA_LOW)
        raw_beta = raw_beta + torch.logit(share, eps=1e-6)
    else:
        raw_alpha, raw_beta = raw_alpha + _ALPHA_START, raw_beta + _BETA_START
    alpha = F.softplus(raw_alpha) + ALPHA_FLOOR
    beta = BETA_LOW + (BETA_HIGH - BETA_LOW) * torch.sigmoid(raw_beta)
    return Prediction(mean, alpha, beta, lung_logit)


def _inverse_softplus(x: Tensor) -> Tensor:
    x = x.clamp_min(1e-6)
    return x + torch.log(-torch.expm1(-x))
