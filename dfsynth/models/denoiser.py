"""Conditional generation out of noise: diffusion and flow matching by one U-Net.

The network sees a noisy output image beside the input image (conditioning by concatenation:
Saharia et al., "Palette", SIGGRAPH 2022) and learns which way less noise is. U-Net and schedulers
are those of MONAI (Cardoso et al. 2022, arXiv:2211.02701).
"""

import math
from abc import abstractmethod
from typing import Final

import torch
from torch import Tensor

from dfsynth.checkpoint import (
    NOISE_LEVELS,
    AnyDenoiserConfig,
    DenoiserConfig,
    DiffusionConfig,
    FlowConfig,
)
from dfsynth.extras import load_extra
from dfsynth.models.network import TrainableNetwork
from dfsynth.models.samplers import (
    SAMPLERS_BY_NAME,
    FreshNoise,
    Velocity,
    ddim_from,
    flow_schedule,
    no_fresh_noise,
    scheduler,
)
from dfsynth.records import SamplerSettings

NO_INPUT: Final = -1.0
"""Every pixel of the input that stands for none: images flat at a value that none has."""
_GROUPS: Final = 8
"""Of group norm: every width is a multiple."""
_HEAD_CHANNELS: Final = 32
"""Of an attention head, or as many as the width and this have in common."""


class Denoiser(TrainableNetwork):
    """A U-Net that says of a noisy image (n, 1, H, W), given an input image, where noise lies.

    The output's values travel through it as -1 to 1 over the `span` of the configuration, or, with
    a `residual`, what they are beyond those of the input, over that.
    """

    config: DenoiserConfig

    def __init__(self, config: DenoiserConfig) -> None:
        """Builds the network with initial weights from torch's global generator.

        Raises:
            UsageError: MONAI or einops is not installed.
        """
        super().__init__()
        self.config = config
        # What attention is written in: MONAI asks for it in the middle of building.
        load_extra("einops", "this network", "diffusion")
        networks = load_extra(
            "monai.networks.nets.diffusion_model_unet", "this network", "diffusion"
        )
        levels = len(config.widths)
        self.unet = networks.DiffusionModelUNet(
            spatial_dims=2,
            in_channels=2 if config.conditional else 1,
            out_channels=1,
            num_res_blocks=config.blocks,
            channels=config.widths,
            attention_levels=[False] * (levels - 1) + [True],
            norm_num_groups=_GROUPS,
            num_head_channels=[math.gcd(_HEAD_CHANNELS, width) for width in config.widths],
            # Its memory grows with the pixels, and not with their square.
            use_flash_attention=True,
        )
        self.divisor = 2 ** (levels - 1)

    def stage(self, m: int) -> torch.nn.Module:  # noqa: ARG002
        """Gives the U-Net, which is all there is."""
        return self.unet

    def forward(self, noisy: Tensor, image: Tensor, times: Tensor) -> Tensor:
        """Predicts the velocity of noisy images (n, 1, H, W), the same shape.

        `image` are model inputs of the same shape, which a network without a condition leaves
        aside; `times` (n,) is the noise in [0, NOISE_LEVELS].
        """
        seen = torch.cat([noisy, image], dim=1) if self.config.conditional else noisy
        found: Tensor = self.unet(seen, times)
        return found

    def normalise(self, output: Tensor, image: Tensor) -> Tensor:
        """Brings output images from their unit to what noise is added to.

        That is -1 to 1 over the span, or, with a `residual`, the output's distance from the model
        inputs `image`, over it; both are of the shape (n, 1, H, W), which is that of the result.
        """
        found = self._over_span(output)
        if self.config.residual:
            found = (found - self._over_span(image)) / self.config.residual
        return found

    def restore(self, normalised: Tensor, image: Tensor) -> Tensor:
        """Undoes `normalise` with the same model inputs, (n, 1, H, W) each."""
        if self.config.residual:
            normalised = self.config.residual * normalised + self._over_span(image)
        low, high = self.config.span
        return low + (high - low) * (normalised + 1) / 2

    def _over_span(self, values: Tensor) -> Tensor:
        low, high = self.config.span
        return 2 * (values - low) / (high - low) - 1

    @abstractmethod
    def times(self, drawn: Tensor) -> Tensor:
        """Turns numbers in [0, 1) into times of training, of the same shape (n,)."""

    @abstractmethod
    def training_pair(self, output: Tensor, noise: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes normalised images and noise (n, 1, H, W) at times (n,).

        Returns:
            The noisy images and the velocity that the network is to predict, (n, 1, H, W) each.
        """

    def draw(
        self,
        image: Tensor,
        noise: Tensor,
        settings: SamplerSettings | None = None,
        fresh: FreshNoise = no_fresh_noise,
    ) -> Tensor:
        """Makes one sample of the output for each of model inputs (n, 1, H, W), in its unit.

        The sample, of the same shape, follows from `noise`, which is of it too and standard normal,
        and from `fresh` where the sampler adds noise on its way. H and W must be divisible by
        `divisor`; the `settings` are those of the configuration unless given.
        """
        how = settings or self.config.sampling
        run = SAMPLERS_BY_NAME[how.sampler]
        made = run(self._velocity(image, how.guidance), noise, how.steps, fresh)
        return self.restore(made, image)

    def _velocity(self, image: Tensor, guidance: float) -> Velocity:
        """What samplers ask for velocities of noisy images, given model inputs (n, 1, H, W).

        With a guidance w above 0 it is (1 + w) v(with the input) - w v(without), both of one pass:
        Ho & Salimans 2022, arXiv:2207.12598, equation (6), which holds of velocities as of noise.
        """
        if not guidance:
            return lambda noisy, time: self(noisy, image, _everywhere(time, image)).float()
        both = torch.cat([image, torch.full_like(image, NO_INPUT)])

        def guided(noisy: Tensor, time: float) -> Tensor:
            found = self(torch.cat([noisy, noisy]), both, _everywhere(time, both)).float()
            with_input, without = found.chunk(2)
            return (1 + guidance) * with_input - guidance * without

        return guided


class DiffusionNetwork(Denoiser):
    """Denoising diffusion: trained as Ho et al., NeurIPS 2020.

    With the linear schedule of Ho et al. and the velocity of Salimans & Ho (ICLR 2022) as what is
    predicted, which is defined at pure noise too.
    """

    config: DiffusionConfig

    def times(self, drawn: Tensor) -> Tensor:
        """Turns numbers in [0, 1) into levels of noise, whole numbers of the same shape (n,)."""
        return (drawn * NOISE_LEVELS).long().clamp_max(NOISE_LEVELS - 1)

    def training_pair(self, output: Tensor, noise: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes images and noise (n, 1, H, W) to sqrt(a) x + sqrt(1 - a) noise at levels (n,).

        Returns:
            That, and the velocity sqrt(a) noise - sqrt(1 - a) x, (n, 1, H, W) each.
        """
        schedule = scheduler("ddpm", "DDPMScheduler")(
            NOISE_LEVELS, "linear_beta", prediction_type="v_prediction"
        )
        noisy = schedule.add_noise(output, noise, times)
        return noisy, schedule.get_velocity(output, noise, times)

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        """Gives the shape of the noise of an image of height × width pixels, padding included."""
        return (1, *(side + -side % self.divisor for side in (height, width)))

    def degrade(self, images: Tensor, noise: Tensor) -> Tensor:
        """Makes partners of radiographs (n, 1, H, W) in [0, 1], of the same shape and range.

        They are noised up to `degrade_level` by `noise` (n, 1, H', W'), standard normal, and
        denoised by what the network knows of its collection: SDEdit (Meng et al., ICLR 2022).
        """
        height, width = images.shape[-2:]
        level = self.config.degrade_level
        grey = self.pad_by_edges(images)
        padded = self.normalise(grey, grey)
        reached = torch.full((len(images),), level - 1, device=images.device)
        noisy, _ = self.training_pair(padded, noise, reached)
        made = ddim_from(level, self._velocity(padded, 0.0), noisy, self.config.steps)
        return self.restore(made, grey)[..., :height, :width].clamp(0, 1)


class FlowNetwork(Denoiser):
    """Flow matching along straight lines: Lipman et al. and Liu et al. ("rectified"), ICLR 2023.

    Time 0 is the output and `NOISE_LEVELS` noise; few steps lead from one to the other.
    """

    config: FlowConfig

    def times(self, drawn: Tensor) -> Tensor:
        """Turns numbers in [0, 1) into times of the same shape (n,)."""
        return drawn * NOISE_LEVELS

    def training_pair(self, output: Tensor, noise: Tensor, times: Tensor) -> tuple[Tensor, Tensor]:
        """Mixes images and noise (n, 1, H, W) to (1 - t) x + t noise, t = times / NOISE_LEVELS.

        Returns:
            That, and the velocity x - noise, (n, 1, H, W) each.
        """
        return flow_schedule().add_noise(output, noise, times), output - noise


def build_denoiser(config: AnyDenoiserConfig) -> Denoiser:
    """Builds a network with initial weights from torch's global generator.

    Raises:
        UsageError: MONAI or einops is not installed.
    """
    return DiffusionNetwork(config) if isinstance(config, DiffusionConfig) else FlowNetwork(config)


def _everywhere(time: float, image: Tensor) -> Tensor:
    return torch.full((image.shape[0],), float(time), device=image.device)
