"""Trains a lung reader, step by step, so that a run that was stopped goes on as if it had not."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dfsynth.lung_segmentation.network import READER_OUTPUTS, thickness_mm
from dfsynth.lung_segmentation.samples import (
    READER_AUGMENTATION,
    Lesson,
    draw_lesson,
    draw_nonsense,
    spoil_lesson,
)
from dfsynth.models.unet import UNet
from dfsynth.records import IntensityWindow

_THICKNESS_MM = 30.0
"""Errors above this count linearly, and are worth a loss of about 1."""


@dataclass(frozen=True, slots=True)
class ReaderSchedule:
    """How a reader is trained."""

    widths: tuple[int, ...]
    steps: int
    batch: int
    learning_rate: float
    seed: int
    nonsense_share: float = 0.0
    """Of the pictures: no radiograph at all, so that the reader learns to find nothing."""
    spoilt_share: float = 0.0
    """Of the pictures: turned or inverted, likewise."""
    dropout: float = 0.1
    ema_decay: float = 0.995
    warm_up: int = 100


class ReaderTrainer:
    """A network in training, its moving average and its optimiser.

    Every step draws from a generator of its own, keyed by seed and step: with the same lessons
    and machine, a restored trainer goes on to the weights of one that never stopped.
    """

    def __init__(self, schedule: ReaderSchedule, autocast: torch.dtype | None = None) -> None:
        self.schedule = schedule
        self.autocast = autocast
        self.step = 0
        with torch.random.fork_rng(devices=[]):
            # Layers draw their first weights from the global generator and take no other.
            torch.default_generator.manual_seed(schedule.seed)
            network = UNet(1, READER_OUTPUTS, schedule.widths)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average = torch.optim.swa_utils.AveragedModel(self.network, avg_fn=self._blend)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), schedule.learning_rate, weight_decay=1e-3
        )

    @property
    def averaged(self) -> UNet:
        """The network with averaged weights, for use."""
        network = UNet(1, READER_OUTPUTS, self.schedule.widths)
        network.load_state_dict(self._average.module.state_dict())
        return network.eval()

    def run(
        self, draw: Callable[[np.random.Generator], Lesson], upto: int, log: Callable[..., None]
    ) -> None:
        """Trains up to step `upto`; `draw` picks a lesson; `log(step, loss)` after each step.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        schedule = self.schedule
        while self.step < min(upto, schedule.steps):
            rng = np.random.default_rng([schedule.seed, self.step])
            batch = _stack([self._draw(draw, rng) for _ in range(schedule.batch)])
            for group in self._optimiser.param_groups:
                group["lr"] = self._learning_rate()
            with torch.autocast("cpu", self.autocast, enabled=self.autocast is not None):
                features = self.network.encode(batch["image"])
                output = self.network.decode(features, self._dropout(rng))
            loss = reader_loss(output, batch)
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the reader's loss is {loss.item()} at step {self.step}; "
                    "try a smaller learning rate"
                )
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self._optimiser.step()
            self._average.update_parameters(self.network)
            self.step += 1
            log(self.step, float(loss.detach()))

    def state(self) -> dict[str, Tensor]:
        """All that `restore` needs besides the schedule, by name."""
        found = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        found |= {f"average.{k}": v for k, v in self._average.state_dict().items()}
        for index, entry in self._optimiser.state_dict()["state"].items():
            found |= {f"optimiser.{index}.{name}": value for name, value in entry.items()}
        found["step"] = torch.tensor(self.step)
        return {name: value.clone().contiguous() for name, value in found.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up the state of a trainer with the same schedule."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

        self.network.load_state_dict(part("network."))
        self._average.load_state_dict(part("average."))
        entries: dict[int, dict[str, Tensor]] = {}
        for key, value in part("optimiser.").items():
            index, name = key.split(".", 1)
            entries.setdefault(int(index), {})[name] = value
        groups = self._optimiser.state_dict()["param_groups"]
        self._optimiser.load_state_dict({"state": entries, "param_groups": groups})
        self.step = int(state["step"])

    def _draw(
        self, draw: Callable[[np.random.Generator], Lesson], rng: np.random.Generator
    ) -> Lesson:
        lesson = draw(rng)
        chance, nonsense = rng.random(), self.schedule.nonsense_share
        if chance < nonsense:
            return draw_nonsense(lesson.image.shape[1], rng)
        drawn = draw_lesson(lesson, READER_AUGMENTATION, IntensityWindow(), rng)
        spoilt = chance < nonsense + self.schedule.spoilt_share
        return spoil_lesson(drawn, rng) if spoilt else drawn

    def _blend(self, average: Tensor, weight: Tensor, steps: Tensor | int) -> Tensor:
        """A moving average that soon forgets the first weights, which were noise."""
        seen = int(steps)
        decay = min(self.schedule.ema_decay, (1 + seen) / (10 + seen))
        return decay * average + (1 - decay) * weight

    def _learning_rate(self) -> float:
        """A linear rise, then half a cosine down to nothing."""
        rise = min(1.0, (self.step + 1) / self.schedule.warm_up)
        fall = 0.5 * (1 + math.cos(math.pi * self.step / self.schedule.steps))
        return self.schedule.learning_rate * rise * fall

    def _dropout(self, rng: np.random.Generator) -> list[Tensor]:
        keep = np.float32(1 - self.schedule.dropout)
        return [
            torch.from_numpy((rng.random((self.schedule.batch, c), np.float32) < keep) / keep)
            for c in self.network.dropout_channels
        ]


def reader_loss(output: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Cross-entropy and Dice of both regions, Huber of the thickness, where they are known.

    `output` is (n, 3, H, W) and each map of `batch`, named as in `Lesson`, (n, 1, H, W).
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
    """Mean over the pictures; one with no known lung counts 0, since any pixel would cost all."""
    overlap = (weight * probability * truth).sum(dim=(1, 2, 3))
    present = (weight * truth).sum(dim=(1, 2, 3))
    total = (weight * probability).sum(dim=(1, 2, 3)) + present
    return torch.where(present > 0, 1 - (2 * overlap + 1) / (total + 1), 0.0).mean()


def _stack(lessons: Sequence[Lesson]) -> dict[str, Tensor]:
    return {
        name: torch.from_numpy(np.stack([getattr(x, name) for x in lessons]))[:, None]
        for name in Lesson.__slots__
    }
