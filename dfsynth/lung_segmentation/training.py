"""Trains a lung segmentation network so that a run that was stopped goes on as if it had not."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.lung_segmentation.network import OUTPUT_CHANNELS, thickness_mm
from dfsynth.lung_segmentation.samples import (
    TRAINING_AUGMENTATION,
    LungSample,
    augment_sample,
    corrupt_sample,
    draw_non_radiograph,
)
from dfsynth.models.unet import UNet
from dfsynth.optimisation import average_weights, flatten_state, restore_optimiser, state_part
from dfsynth.records import IntensityWindow

_THICKNESS_MM = 30.0
"""Errors of the thickness above this count linearly, and are worth a loss of about 1."""


@dataclass(frozen=True, slots=True)
class LungTrainingOptions:
    """How a lung segmentation network is trained."""

    widths: tuple[int, ...]
    """Channels of the U-Net from fine to coarse."""
    steps: int
    batch: int
    """Samples a step."""
    learning_rate: float
    """The highest, after the warm-up."""
    seed: int
    non_radiograph_share: float = 0.0
    """Share of the images that are no radiograph, so that the network learns to find nothing."""
    corrupted_share: float = 0.0
    """Share of the radiographs that are turned or inverted, with the same purpose."""
    dropout: float = 0.1
    """Probability that a channel is dropped, 0 to below 1."""
    ema_decay: float = 0.995
    """Share of the averaged weights that a step keeps, 0 to below 1."""
    warm_up: int = 100
    """Steps over which the learning rate rises."""


class LungTrainer:
    """A network in training, its moving average and its optimiser.

    Every step draws from a generator of its own, keyed by seed and step: with the same
    samples and machine, a restored trainer goes on to the weights of one that never stopped.
    """

    def __init__(self, options: LungTrainingOptions, autocast: torch.dtype | None = None) -> None:
        """Makes a network with its first weights; `autocast` is the precision, None float32."""
        self.options = options
        self.autocast = autocast
        self.step = 0
        with torch.random.fork_rng(devices=[]):
            # Layers draw their first weights from the global generator and take no other.
            torch.default_generator.manual_seed(options.seed)
            network = UNet(1, OUTPUT_CHANNELS, options.widths)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = average_weights(self.network, options.ema_decay)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), options.learning_rate, weight_decay=1e-3
        )

    @property
    def averaged(self) -> UNet:
        """The network with averaged weights, for use."""
        network = UNet(1, OUTPUT_CHANNELS, self.options.widths)
        network.load_state_dict(self._average.module.state_dict())
        return network.eval()

    def run(
        self, draw: Callable[[np.random.Generator], LungSample], upto: int, log: Callable[..., None]
    ) -> None:
        """Trains up to step `upto`; `draw` picks a sample; `log(step, loss)` after each step.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        options = self.options
        while self.step < min(upto, options.steps):
            rng = np.random.default_rng([options.seed, self.step])
            batch = _stack([self._draw(draw, rng) for _ in range(options.batch)])
            for group in self._optimiser.param_groups:
                group["lr"] = self._learning_rate()
            with torch.autocast("cpu", self.autocast, enabled=self.autocast is not None):
                features = self.network.encode(batch["image"])
                output = self.network.decode(features, self._dropout(rng))
            loss = lung_loss(output, batch)
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss.item()} at step {self.step}; try a smaller learning rate"
                )
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimiser.step()
            self._average.update_parameters(self.network)
            self.step += 1
            log(self.step, float(loss.detach()))

    def state(self) -> dict[str, Tensor]:
        """All that `restore` needs besides the options, by name; tensors of any shape."""
        found = flatten_state(
            {
                "network": self.network.state_dict(),
                "average": self._average.state_dict(),
                "optimiser": self._optimiser.state_dict()["state"],
            }
        )
        return found | {"step": torch.tensor(self.step)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `state` gave for a trainer with the same options; shapes must be its own.

        Raises:
            KeyError: the state holds no step.
            RuntimeError: its tensors do not fit the network.
        """
        self.network.load_state_dict(state_part(state, "network"))
        self._average.load_state_dict(state_part(state, "average"))
        restore_optimiser(self._optimiser, state_part(state, "optimiser"))
        self.step = int(state["step"])

    def _draw(
        self, draw: Callable[[np.random.Generator], LungSample], rng: np.random.Generator
    ) -> LungSample:
        sample = draw(rng)
        chance, share = rng.random(), self.options.non_radiograph_share
        if chance < share:
            return draw_non_radiograph(sample.image.shape[1], rng)
        drawn = augment_sample(sample, TRAINING_AUGMENTATION, IntensityWindow(), rng)
        corrupted = chance < share + self.options.corrupted_share
        return corrupt_sample(drawn, rng) if corrupted else drawn

    def _learning_rate(self) -> float:
        """A linear rise, then half a cosine down to nothing."""
        rise = min(1.0, (self.step + 1) / self.options.warm_up)
        fall = 0.5 * (1 + math.cos(math.pi * self.step / self.options.steps))
        return self.options.learning_rate * rise * fall

    def _dropout(self, rng: np.random.Generator) -> list[Tensor]:
        keep = np.float32(1 - self.options.dropout)
        return [
            torch.from_numpy((rng.random((self.options.batch, c), np.float32) < keep) / keep)
            for c in self.network.dropout_channels
        ]


def lung_loss(output: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy and Dice of both regions, Huber of the thickness, where they are known.

    Args:
        output: (n, 3, H, W), the network's outputs.
        batch: the maps of `LungSample` by name, each (n, 1, H, W).
    """
    loss = torch.zeros(())
    for channel, name, unknown in ((0, "field", "field_unknown"), (1, "any_lung", "any_unknown")):
        logit, weight = output[:, channel : channel + 1], 1 - batch[unknown]
        entropy = F.binary_cross_entropy_with_logits(logit, batch[name], weight)
        loss = loss + entropy + _dice_loss(torch.sigmoid(logit), batch[name], weight)
    error = (thickness_mm(output[:, 2:]) - batch["thickness_mm"]) / _THICKNESS_MM
    weight = 1 - batch["thickness_unknown"]
    return loss + (weight * F.huber_loss(error, torch.zeros_like(error), reduction="none")).mean()


def _dice_loss(probability: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Mean over the images; one with no known lung counts 0, since any pixel would cost all."""
    overlap = (weight * probability * truth).sum(dim=(1, 2, 3))
    present = (weight * truth).sum(dim=(1, 2, 3))
    total = (weight * probability).sum(dim=(1, 2, 3)) + present
    return torch.where(present > 0, 1 - (2 * overlap + 1) / (total + 1), 0.0).mean()


def _stack(samples: Sequence[LungSample]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(np.stack([getattr(x, name) for x in samples]))[:, None]
        for name in LungSample.__slots__
    }
