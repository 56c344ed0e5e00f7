"""A cascade whose samples live on a coarse grid, with one full-resolution refinement an image.

The radiograph is unshuffled four times along each axis, so that the widest maps have a sixteenth of
its pixels and the deepest see the whole chest. One encoder serves all stages and all samples:
what a stage sees of the radiograph is computed once an image, and a sample costs a decoder alone.
Where others concatenate, sums of convolutions are taken (a convolution of a concatenation is such a
sum), and the sampled path has no normalisation: its convolutions are the changes of residual
blocks. Dark-field images are smooth but for the lung's edge, which the refinement draws.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.models.cascade_network import CascadeNetwork, Moments, PreparedImages
from dfsynth.models.gennorm import gennorm_alpha
from dfsynth.models.guidance import GUIDE_CHANNELS, guidance_maps
from dfsynth.models.heads import HEAD_CHANNELS, Prediction, quantile_sigma
from dfsynth.models.normalisation import group_norm, require_widths
from dfsynth.models.refinement import Refinement
from dfsynth.models.stage import Stage

UNSHUFFLE: Final = 4
_GUIDE_FEATURES: Final = 8
_FINEST: Final = 2
"""The encoder, which runs once an image, is so many times wider than the decoders at its finest."""


class Encoder(nn.Module):
    """The radiograph's features at each level, (k, 1, H, W) → (k, width, H / 4 / 2^level, …)."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        own = (_FINEST * widths[0], *widths[1:])
        self.stem = nn.Conv2d(UNSHUFFLE**2, own[0], 3, padding=1)
        self.conv1 = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in own)
        self.norm = nn.ModuleList(group_norm(w) for w in own)
        self.conv2 = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in own)
        self.down = nn.ModuleList(
            nn.Conv2d(fine, coarse, 3, stride=2, padding=1) for fine, coarse in pairwise(own)
        )
        self.out = nn.ModuleList(nn.Conv2d(w, v, 1) for w, v in zip(own, widths, strict=True))

    def forward(self, image: Tensor) -> list[Tensor]:
        """Encodes from fine to coarse."""
        hidden = F.silu(self.stem(F.pixel_unshuffle(image, UNSHUFFLE)))
        features = []
        for level, (conv1, norm, conv2, out) in enumerate(
            zip(self.conv1, self.norm, self.conv2, self.out, strict=True)
        ):
            hidden = hidden + conv2(F.silu(norm(conv1(hidden))))
            features.append(F.silu(out(hidden)))
            if level < len(self.down):
                hidden = self.down[level](F.silu(hidden))
        return features


class CoarseStage(Stage):
    """The decoder of one stage, and the modules that are trained with it.

    Dropout silences whole channels between the two halves of each level, coarse to fine.
    """

    def __init__(
        self,
        guide_channels: int,
        channels_out: int,
        widths: Sequence[int],
        encoder: Encoder | None,
        refinement: Refinement | None,
    ) -> None:
        """Builds a stage; the first has the encoder and no guide, the last the refinement."""
        super().__init__()
        self.dropout_channels = tuple(reversed(widths))
        self.encoder = encoder
        self.refinement = refinement
        self.skip = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths)
        self.change = nn.ModuleList(nn.Conv2d(w, w, 3, padding=1) for w in widths)
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in pairwise(widths))
        self.head = nn.Conv2d(widths[0], channels_out, 3, padding=1)
        self.stem: nn.Conv2d | None = None
        if guide_channels:
            self.stem = nn.Conv2d(guide_channels, _GUIDE_FEATURES, 3, padding=1)
            self.guide = nn.ModuleList(nn.Conv2d(_GUIDE_FEATURES, w, 1) for w in widths)

    def see(self, features: list[Tensor]) -> list[Tensor]:
        """Computes what this stage takes from the radiograph's features, for all samples."""
        return [skip(f) for skip, f in zip(self.skip, features, strict=True)]

    def decode(
        self, seen: list[Tensor], guide: Tensor | None, masks: Sequence[Tensor], samples: int
    ) -> Tensor:
        """Decodes to (n, channels_out, h, w) float32, on the coarse grid.

        seen: (k, …) of `see`; guide: (n, c, h, w); masks: (n, channels) a site, n = k · samples.
        """
        guides = [] if guide is None else self._guide(guide, len(seen))
        hidden: Tensor | None = None
        for level, mask in zip(range(len(seen) - 1, -1, -1), masks, strict=True):
            state = _for_samples(seen[level], samples)
            if hidden is not None:
                # Bilinear, not transposed convolution: no checkerboard by construction.
                state = state + F.interpolate(
                    self.up[level](hidden), scale_factor=2, mode="bilinear"
                )
            if guides:
                state = state + guides[level]
            kept = F.silu(state) * mask[:, :, None, None].to(state.dtype)
            hidden = state + self.change[level](kept)
        assert hidden is not None
        # In float32: the spread of a few samples is as small as the steps of bfloat16.
        with torch.autocast(device_type=hidden.device.type, enabled=False):
            raw: Tensor = self.head(F.silu(hidden.float()))
            return raw

    def _guide(self, guide: Tensor, levels: int) -> list[Tensor]:
        assert self.stem is not None
        maps = [F.silu(self.stem(guide))]
        for _ in range(levels - 1):
            maps.append(F.avg_pool2d(maps[-1], 2))
        return [conv(m) for conv, m in zip(self.guide, maps, strict=True)]


class CoarseCascade(CascadeNetwork):
    """M decoders on a grid four times coarser than the image, and one refinement."""

    economy = 2

    def __init__(self, config: CascadeConfig) -> None:
        """Builds the network with initial weights from torch's global generator.

        Raises:
            ValueError: there are fewer than two widths, or one is no multiple of 8.
        """
        super().__init__()
        require_widths(config.widths)
        self.config = config
        self.divisor = UNSHUFFLE * 2 ** (len(config.widths) - 1)
        own, last = HEAD_CHANNELS[config.likelihood], config.stages - 1
        stages = [
            CoarseStage(
                GUIDE_CHANNELS[config.guidance] if m else 0,
                own + (config.lung_head and m == 0),
                config.widths,
                Encoder(config.widths) if m == 0 else None,
                Refinement(gains=config.likelihood != "point") if m == last else None,
            )
            for m in range(config.stages)
        ]
        for m in self.stages_of_zero:
            head = stages[m].head
            nn.init.zeros_(head.weight)
            assert head.bias is not None
            nn.init.zeros_(head.bias)
        if config.likelihood == "point":
            for stage in stages:
                stage.raw_alpha = nn.Parameter(torch.zeros(()))
        self.stages = nn.ModuleList(stages)

    def stage(self, m: int) -> CoarseStage:
        """Gives stage m (from 0)."""
        stage = self.stages[m]
        assert isinstance(stage, CoarseStage)
        return stage

    def forward(self, image: Tensor, masks: Tensor, upto: int | None = None) -> list[Prediction]:
        """Predicts the stages 1 … `upto` on the image's grid; see `CascadeNetwork`.

        The last of all stages is refined, each sample by itself.
        """
        prepared = self.prepare(image)
        predictions = [self._enlarge(p) for p in self.sample(prepared, masks, upto)]
        if len(predictions) == self.config.stages:
            samples = masks.shape[0] // image.shape[0]
            predictions[-1] = self._refine(_for_samples(image, samples), predictions[-1])
        return predictions

    def enlarge(self, maps: Tensor) -> Tensor:
        """Interpolates maps (n, c, h, w) to (n, c, 4 h, 4 w), bilinearly."""
        return F.interpolate(maps, scale_factor=UNSHUFFLE, mode="bilinear")

    def refine(self, images: Tensor, moments: Moments) -> Moments:
        """Applies one affine map a pixel to all samples of an image, through their moments.

        A refined sample is scale · b + shift, with standard deviation gain · sigma; so the moments
        of refined samples are those given here, exactly.

        With a residual, samples changed the image at their coarse grid; the detail that this lacks
        is added first, so that zero changes give the image itself.
        """
        refinement = self.stage(self.config.stages - 1).refinement
        assert refinement is not None
        mean = moments.mean
        if self.config.residual:
            mean = mean + images.float() - self.enlarge(_shrink(images))
        found = refinement(images, mean, moments.variance.sqrt())
        return Moments(
            mean=found.scale * mean + found.shift,
            variance=found.gain.square() * moments.variance,
            spread=found.scale * moments.spread,
        )

    def _encode(self, images: Tensor) -> list[Tensor]:
        encoder = self.stage(0).encoder
        assert encoder is not None
        features: list[Tensor] = encoder(images)
        return features

    def _sample(
        self, prepared: PreparedImages, masks: Sequence[Sequence[Tensor]], samples: int
    ) -> list[Prediction]:
        predictions: list[Prediction] = []
        image = None
        if self.config.residual:
            image = _for_samples(_shrink(prepared.images), samples)
        for m, of_stage in enumerate(masks):
            stage, before = self.stage(m), predictions[-1] if predictions else None
            guide = None if before is None else guidance_maps(self.config.guidance, before)
            raw = stage.decode(stage.see(prepared.features), guide, of_stage, samples)
            predictions.append(self.predict_stage(m, raw, before, image))
        return predictions

    def _enlarge(self, prediction: Prediction) -> Prediction:
        """Mean, variance and shape are interpolated; alpha follows from the last two.

        Widths are interpolated too.
        """
        variance, beta = prediction.sigma.square(), prediction.beta
        maps = torch.cat([prediction.mean, variance, beta], dim=1)
        mean, variance, beta = self.enlarge(maps).split(1, dim=1)
        sigma, logit, widths = variance.sqrt(), prediction.lung_logit, prediction.widths
        if widths is not None:
            # Of the deviation that follows from the variance, as the moments of samples have it.
            widths = self.enlarge(widths)
            widths = widths * (sigma / quantile_sigma(widths))
        return Prediction(
            mean=mean,
            alpha=gennorm_alpha(sigma, beta),
            beta=beta,
            lung_logit=None if logit is None else self.enlarge(logit),
            widths=widths,
        )

    def _refine(self, images: Tensor, prediction: Prediction) -> Prediction:
        sigma = prediction.sigma
        refined = self.refine(
            images, Moments(prediction.mean, sigma.square(), torch.zeros_like(sigma))
        )
        gain = refined.variance.sqrt() / sigma
        return Prediction(
            mean=refined.mean,
            alpha=prediction.alpha * gain,
            beta=prediction.beta,
            lung_logit=prediction.lung_logit,
            widths=None if prediction.widths is None else prediction.widths * gain,
        )


def _shrink(images: Tensor) -> Tensor:
    """Means of squares: (k, 1, H, W) → (k, 1, H / 4, W / 4), float32."""
    return F.avg_pool2d(images.float(), UNSHUFFLE)


def _for_samples(maps: Tensor, samples: int) -> Tensor:
    """(k, …) → (k · samples, …), without a copy where there is one image."""
    if samples == 1:
        return maps
    if maps.shape[0] == 1:
        return maps.expand(samples, *maps.shape[1:])
    return maps.repeat_interleave(samples, dim=0)
