"""How diffusion and flow matching are trained: a velocity at a drawn time, squared errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.inference.sampling import GAUSSIAN_BETA, StepNoise, sample_moments
from dfsynth.inference.streams import noise_samples
from dfsynth.models import NO_INPUT, Denoiser, Prediction, TrainableNetwork
from dfsynth.models.gennorm import gennorm_alpha
from dfsynth.train.degrader_objective import DegraderObjective
from dfsynth.train.losses import mean_over
from dfsynth.train.objective import Objective
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Recipe

VALIDATION_SAMPLES: Final = 8
"""Of each image: enough for a mean and a rough deviation, by noise that is always the same."""
_NOISE_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Velocities:
    """What a step compares, (n, 1, H, W) each."""

    predicted: Tensor
    wanted: Tensor


class DenoisingObjective(Objective[Velocities]):
    """The loss of a denoiser: no discriminator, and one stage."""

    def __init__(
        self,
        recipe: Recipe,  # noqa: ARG002
        network: TrainableNetwork,
        device: torch.device,
        processes: Processes,
    ) -> None:
        """Takes a denoiser, which says how images and noise are mixed."""
        assert isinstance(network, Denoiser)
        self._network = network
        self._device = device
        self._processes = processes

    def run(
        self,
        network: nn.Module,
        batch: PairBatch,
        rng: np.random.Generator,
        stages: Sequence[int],  # noqa: ARG002
    ) -> Velocities:
        """Predicts the velocities of a batch, maps (n, 1, H, W), at times and noise from `rng`."""
        here, _, height, width = batch.image.shape
        own = slice(batch.first, batch.first + here)
        everywhere = here * self._processes.world_size
        # Uniform for every pair, yet evenly spread over the batch, which makes the loss less noisy:
        # Kingma et al., NeurIPS 2021, I.1.
        drawn = (rng.random() + np.arange(everywhere) / everywhere) % 1
        noise = rng.standard_normal((everywhere, 1, height, width), np.float32)[own]
        times = self._network.times(self._tensor(drawn[own]))
        noisy, wanted = self._network.training_pair(
            self._network.normalise(batch.target, batch.image), self._tensor(noise), times
        )
        image, dropped = batch.image, self._network.config.drop_condition
        if dropped:
            # Drawn last: without it, everything else is drawn as it was before there was a choice.
            without = self._tensor(rng.random(everywhere)[own] < dropped)
            image = torch.where(without[:, None, None, None] > 0, NO_INPUT, image)
        return Velocities(network(noisy, image, times), wanted)

    def terms(
        self,
        outputs: Velocities,
        batch: PairBatch,
        stages: Sequence[int],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Computes the mean squared error of the velocity, a float32 scalar; padding left out."""
        errors = (outputs.predicted.float() - outputs.wanted).square()
        return {"velocity": mean_over(errors, batch.content)}

    @torch.inference_mode()
    def predict(self, network: TrainableNetwork, image: Tensor) -> list[Prediction]:
        """Takes mean and deviation of some samples as a Gaussian, for images (n, 1, H, W).

        The noise depends on the place of an image in the batch alone.
        """
        assert isinstance(network, Denoiser)
        network.eval()
        height, width = image.shape[-2:]
        padded = network.pad(image)
        shape = (VALIDATION_SAMPLES, *padded.shape[-2:])
        noise = np.stack([noise_samples(_NOISE_SEED, str(i), *shape) for i in range(len(image))])
        drawn = []
        for sample, start in enumerate(self._tensor(noise).unbind(dim=1)):
            fresh = StepNoise(_NOISE_SEED, [(str(i), sample) for i in range(len(image))])
            drawn.append(network.draw(padded, start[:, None], fresh=fresh)[:, 0])
        samples = torch.stack(drawn, dim=1)
        found = sample_moments([samples[..., :height, :width]], network.config.span)
        mean, sigma = found.mean[:, None], found.within[:, None]
        beta = torch.full_like(mean, GAUSSIAN_BETA)
        return [Prediction(mean, gennorm_alpha(sigma, beta), beta, lung_logit=None)]

    def _tensor(self, drawn: np.ndarray) -> Tensor:
        # Not from_numpy, which gives tensors with values where an estimate wants none.
        return torch.tensor(drawn, dtype=torch.float32, device=self._device)


class DomainDenoisingObjective(DegraderObjective[Velocities], DenoisingObjective):
    """The same loss of a denoiser without a condition, on the images of one collection alone."""
