"""Uncertainty-guided progressive generator: a cascade of U-Nets with generalised Gaussian heads.

Upadhyay et al., MICCAI 2021 (the cascade, its heads and attention); Felsner et al., ISBI 2026
(dark-field, Monte-Carlo dropout in every stage). Ours, and not in the papers: the compact U-Net,
and that stages after the first predict a change of the mean of the stage before.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from dfsynth.checkpoint import Backbone, CascadeConfig
from dfsynth.models.backbone import StageNetwork
from dfsynth.models.cascade_network import CascadeNetwork, Moments, PreparedImages
from dfsynth.models.casnet import CasNet
from dfsynth.models.guidance import GUIDE_CHANNELS, guidance_maps
from dfsynth.models.heads import HEAD_CHANNELS, Prediction
from dfsynth.models.published import PublishedUNet
from dfsynth.models.residual_unet import ResidualUNet
from dfsynth.models.unet import UNet

BACKBONES: Final[dict[Backbone, Callable[[int, int, Sequence[int]], StageNetwork]]] = {
    "compact": UNet,
    "published": PublishedUNet,
    "casnet": CasNet,
    "residual-unet": ResidualUNet,
}


class Cascade(CascadeNetwork):
    """M whole U-Nets of one backbone, each at the image's grid.

    The samples of an image share the first stage's encoder.
    """

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
        for m in self.stages_of_zero:
            stages[m].zero_output()
        if config.likelihood == "point":
            for stage in stages:
                stage.raw_alpha = nn.Parameter(torch.zeros(()))
        self.stages = nn.ModuleList(stages)
        self.divisor = stages[0].divisor

    def stage(self, m: int) -> StageNetwork:
        """Gives the network of stage m (from 0)."""
        stage = self.stages[m]
        assert isinstance(stage, StageNetwork)
        return stage

    def forward(self, image: Tensor, masks: Tensor, upto: int | None = None) -> list[Prediction]:
        """Predicts the stages 1 … `upto`; see `CascadeNetwork`."""
        return self.sample(self.prepare(image), masks, upto)

    def enlarge(self, maps: Tensor) -> Tensor:
        """Gives the maps as they are: samples have the image's grid."""
        return maps

    def refine(self, images: Tensor, moments: Moments) -> Moments:  # noqa: ARG002
        """Gives the moments as they are: every sample is made at full resolution."""
        return moments

    def _encode(self, images: Tensor) -> list[Tensor]:
        return self.stage(0).encode(images)

    def _sample(
        self, prepared: PreparedImages, masks: Sequence[Sequence[Tensor]], samples: int
    ) -> list[Prediction]:
        image, features = prepared.images, prepared.features
        if samples > 1:
            features = [f.repeat_interleave(samples, dim=0) for f in features]
            image = image.repeat_interleave(samples, dim=0)
        predictions = [self._interpret(0, features, masks[0], None, image)]
        for m in range(1, len(masks)):
            predictions.append(self.follow(m, image, predictions[-1], masks[m]))
        return predictions

    def follow(
        self, m: int, image: Tensor, before: Prediction, masks: Sequence[Tensor]
    ) -> Prediction:
        """Predicts stage m (from 0) from image (n, 1, H, W) and the prediction of stage m − 1."""
        maps = guidance_maps(self.config.guidance, before)
        guided = torch.cat([image, maps.to(image.dtype)], dim=1)
        return self._interpret(m, self.stage(m).encode(guided), masks, before, image)

    def _interpret(
        self,
        m: int,
        features: list[Tensor],
        masks: Sequence[Tensor],
        before: Prediction | None,
        image: Tensor,
    ) -> Prediction:
        return self.predict_stage(m, self.stage(m).decode(features, masks), before, image)
