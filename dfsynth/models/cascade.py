"""Uncertainty-guided progressive generator: a cascade of U-Nets with generalised Gaussian heads.

Upadhyay et al., MICCAI 2021 (the cascade, its heads and attention); Felsner et al., ISBI 2026
(dark-field, Monte-Carlo dropout in every stage). Ours, and not in the papers: the compact U-Net,
and that stages after the first predict a change of the mean of the stage before.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from dfsynth.checkpoint import Backbone, CascadeConfig, Guidance
from dfsynth.models.backbone import StageNetwork
from dfsynth.models.heads import HEAD_CHANNELS, Prediction, interpret
from dfsynth.models.network import GeneratorNetwork
from dfsynth.models.published import PublishedUNet
from dfsynth.models.unet import UNet

BACKBONES: Final[dict[Backbone, Callable[[int, int, Sequence[int]], StageNetwork]]] = {
    "compact": UNet,
    "published": PublishedUNet,
}
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


class Cascade(GeneratorNetwork):
    """M stages of one backbone; each sees the radiograph and, after the first, the stage before it.

    The lung output, where there is one, belongs to the first stage.
    """

    config: CascadeConfig

    def __init__(self, config: CascadeConfig) -> None:
        """Builds the network with initial weights from torch's global generator.

        Raises:
            ValueError: the widths do not fit the backbone.
        """
        super().__init__()
        self.config = config
        backbone = BACKBONES[config.backbone]
        channels_in = [1] + [1 + GUIDE_CHANNELS[config.guidance]] * (config.stages - 1)
        own = HEAD_CHANNELS[config.likelihood]
        channels_out = [own + config.lung_head] + [own] * (config.stages - 1)
        stages = [
            backbone(entering, leaving, config.widths)
            for entering, leaving in zip(channels_in, channels_out, strict=True)
        ]
        for stage in stages[1:]:
            # A new stage starts as the one before it: its change of the mean starts at zero.
            stage.zero_output()
        if config.likelihood == "point":
            for stage in stages:
                stage.raw_alpha = nn.Parameter(torch.zeros(()))
        self.stages = nn.ModuleList(stages)

    @property
    def divisor(self) -> int:
        """Both sides of the grid must be divisible by this."""
        return self.stage(0).divisor

    @property
    def mask_width(self) -> int:
        """Channels that dropout can silence, all stages together."""
        return sum(sum(self.stage(m).dropout_channels) for m in range(self.config.stages))

    def stage(self, m: int) -> StageNetwork:
        """Gives the network of stage m (from 0)."""
        stage = self.stages[m]
        assert isinstance(stage, StageNetwork)
        return stage

    def split_masks(self, masks: Tensor) -> list[list[Tensor]]:
        """Splits masks (n, mask_width) by stage and dropout site into (n, channels) each."""
        sizes = [list(self.stage(m).dropout_channels) for m in range(self.config.stages)]
        parts = iter(torch.split(masks, [c for stage in sizes for c in stage], dim=1))
        return [[next(parts) for _ in stage] for stage in sizes]

    def forward(self, image: Tensor, masks: Tensor, upto: int | None = None) -> list[Prediction]:
        """Predicts the stages 1 … `upto` (all of them by default).

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
        predictions = [self._interpret(0, features, per_stage[0], None)]
        for m in range(1, self.config.stages if upto is None else upto):
            predictions.append(self.refine(m, image, predictions[-1], per_stage[m]))
        return predictions

    def refine(
        self, m: int, image: Tensor, before: Prediction, masks: Sequence[Tensor]
    ) -> Prediction:
        """Predicts stage m (from 0) from image (n, 1, H, W) and the prediction of stage m − 1."""
        maps = guidance_maps(self.config.guidance, before)
        guided = torch.cat([image, maps.to(image.dtype)], dim=1)
        return self._interpret(m, self.stage(m).encode(guided), masks, before)

    def _interpret(
        self, m: int, features: list[Tensor], masks: Sequence[Tensor], before: Prediction | None
    ) -> Prediction:
        stage = self.stage(m)
        raw = stage.decode(features, masks)
        return interpret(raw, before, self.config.likelihood, stage.raw_alpha)
