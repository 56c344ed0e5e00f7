"""The training loop of the cascade: stage by stage, then all stages together.

Upadhyay et al. 2021, section 2.3: each stage is trained with the earlier ones frozen; then all
are fine-tuned by the sum of their losses with a much smaller learning rate.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.models import Cascade, Prediction, gennorm_nll
from dfsynth.models.patch import PatchDiscriminator
from dfsynth.train.examples import Example
from dfsynth.train.losses import least_squares_discriminator, least_squares_generator, residual_l1


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the terms of the generator's loss."""

    fidelity: float = 1.0
    adversarial: float = 0.001
    residual: float = 0.2
    residual_box: int = 9
    lung: float = 0.3


@dataclass(frozen=True, slots=True)
class Phase:
    """One leg of the progressive schedule; `stages` (from 0) are trained, the rest is frozen."""

    name: str
    stages: tuple[int, ...]
    steps: int
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Batch:
    """Examples stacked, each (n, 1, H, W)."""

    image: Tensor
    dark_field: Tensor
    lung: Tensor
    lung_weight: Tensor


def stack(examples: Sequence[Example]) -> Batch:
    """Examples → one batch."""

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(e, name) for e in examples]))[:, None]

    return Batch(tensor("image"), tensor("dark_field"), tensor("lung"), tensor("lung_weight"))


class CascadeTrainer:
    """Trains a cascade and keeps an exponential moving average of its weights.

    All randomness comes from the generator given: the same seed, data and machine give the same
    weights.
    """

    def __init__(
        self,
        cascade: Cascade,
        weights: Weights,
        seed: int,
        ema_decay: float = 0.995,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.cascade = cascade
        self.weights = weights
        self.autocast = autocast
        self.random = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            # Layers draw their first weights from the global generator and take no other.
            torch.default_generator.manual_seed(seed)
            self.discriminators = nn.ModuleList(
                PatchDiscriminator() for _ in range(cascade.config.stages)
            )
        self.average = torch.optim.swa_utils.AveragedModel(
            cascade, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(ema_decay)
        )

    def run(
        self, phase: Phase, batches: Iterator[Batch], log: Callable[[str, int, float], None]
    ) -> None:
        """Trains one phase; `log(phase, step, loss)` is called after every step.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        trained = [p for m in phase.stages for p in self.cascade.stage(m).parameters()]
        judges = [p for m in phase.stages for p in self.discriminators[m].parameters()]
        generator = torch.optim.Adam(trained, phase.learning_rate)
        discriminator = torch.optim.Adam(judges, phase.learning_rate, betas=(0.5, 0.999))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(generator, phase.steps)
        self.cascade.requires_grad_(False)
        for p in trained:
            p.requires_grad_(True)
        for step in range(phase.steps):
            batch = next(batches)
            predictions = self._predict(batch, max(phase.stages) + 1)
            loss = torch.stack(
                [self._generator_loss(m, predictions[m], batch) for m in phase.stages]
            ).sum()
            if not torch.isfinite(loss):
                raise FloatingPointError(
                    f"the loss of phase {phase.name} is {loss.item()} at step {step}; "
                    "try a smaller learning rate"
                )
            generator.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(trained, 1.0)
            generator.step()
            schedule.step()
            self._train_judges(phase, discriminator, predictions, batch)
            self.average.update_parameters(self.cascade)
            log(phase.name, step, float(loss.detach()))

    def _predict(self, batch: Batch, upto: int) -> list[Prediction]:
        keep = 1 - self.cascade.config.dropout
        shape = (batch.image.shape[0], self.cascade.mask_width)
        masks = (torch.rand(shape, generator=self.random) < keep).float() / keep
        with torch.autocast(
            "cpu", self.autocast or torch.bfloat16, enabled=self.autocast is not None
        ):
            image = batch.image.contiguous(memory_format=torch.channels_last)
            return self.cascade(image, masks, upto)

    def _generator_loss(self, m: int, prediction: Prediction, batch: Batch) -> Tensor:
        w = self.weights
        nll = gennorm_nll(prediction.mean, prediction.alpha, prediction.beta, batch.dark_field)
        loss = w.fidelity * nll.mean()
        loss = loss + w.residual * residual_l1(prediction.mean, batch.dark_field, w.residual_box)
        judge = self.discriminators[m].requires_grad_(False)
        loss = loss + w.adversarial * least_squares_generator(judge(prediction.mean))
        if prediction.lung_logit is not None:
            entropy = F.binary_cross_entropy_with_logits(
                prediction.lung_logit, batch.lung, batch.lung_weight
            )
            loss = loss + w.lung * entropy
        return loss

    def _train_judges(
        self,
        phase: Phase,
        optimiser: torch.optim.Optimizer,
        predictions: Sequence[Prediction],
        batch: Batch,
    ) -> None:
        optimiser.zero_grad(set_to_none=True)
        for m in phase.stages:
            judge = self.discriminators[m].requires_grad_(True)
            fake = predictions[m].mean.detach()
            least_squares_discriminator(judge(batch.dark_field), judge(fake)).backward()
        optimiser.step()
