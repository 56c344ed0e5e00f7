"""How cascades are trained: dropout, likelihood and discriminators of every stage.

Upadhyay et al. 2021, section 2.3, with the terms of `dfsynth.train.terms`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.checkpoint import CascadeConfig
from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.models import CascadeNetwork, Prediction, TrainableNetwork
from dfsynth.models.discriminator import least_side
from dfsynth.train.discriminators import Discriminators, build_discriminators
from dfsynth.train.objective import Objective
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Recipe
from dfsynth.train.terms import discriminator_loss, generator_terms
from dfsynth.train.validation import predict_without_dropout


class CascadeObjective(Objective[list[Prediction]]):
    """The losses of a cascade's stages, and a discriminator for each."""

    def __init__(
        self, recipe: Recipe, network: TrainableNetwork, device: torch.device, processes: Processes
    ) -> None:
        """Builds discriminators with initial weights from torch's global generator."""
        assert isinstance(network, CascadeNetwork)
        assert isinstance(recipe.network, CascadeConfig)
        self._config, self._loss = recipe.network, recipe.loss
        self._weights = recipe.loss
        self._mask_width = network.mask_width
        self._device = device
        self._processes = processes
        modules = build_discriminators(recipe)
        self._adversaries = Discriminators(modules, device, processes)

    @classmethod
    def check_recipe(cls, recipe: Recipe, side: int) -> None:
        """Requires that box filter and discriminators can work on images of side × side pixels.

        Raises:
            UsageError: they cannot; the message names what works.
        """
        loss = recipe.loss
        if loss.residual and loss.residual_box // 2 >= side:
            raise UsageError(
                f"[loss] residual_box = {loss.residual_box} is too large for images of {side} "
                f"pixels; expected at most {2 * side - 1}"
            )
        least = least_side(loss.discriminator)
        if loss.adversarial and side < least:
            key = "size" if recipe.augmentation.crop is None else "[augmentation] crop"
            raise UsageError(
                f"{key} = {side} is too small for a discriminator of {len(loss.discriminator)} "
                f"hidden layers; expected {least} or more, or [loss] adversarial = 0"
            )

    def run(
        self,
        network: nn.Module,
        batch: PairBatch,
        rng: np.random.Generator,
        stages: Sequence[int],
    ) -> list[Prediction]:
        """Predicts the stages up to the last of `stages`, maps (n, 1, H, W), with dropout."""
        found: list[Prediction] = network(
            batch.image, self._dropout_masks(rng, batch), max(stages) + 1
        )
        return found

    def terms(
        self, outputs: list[Prediction], batch: PairBatch, stages: Sequence[int]
    ) -> dict[str, Tensor]:
        """Computes the terms of `generator_terms`, float32 scalars summed over `stages`."""
        terms: dict[str, Tensor] = {}
        for m in stages:
            found = generator_terms(
                outputs[m], batch, self._weights, self._config.likelihood, self.discriminators[m]
            )
            for name, value in found.items():
                terms[name] = terms[name] + value if name in terms else value
        return terms

    def predict(self, network: TrainableNetwork, image: Tensor) -> list[Prediction]:
        """Predicts all stages for images (n, 1, H, W) with every channel present."""
        assert isinstance(network, CascadeNetwork)
        return predict_without_dropout(network, image)

    @property
    def discriminators(self) -> nn.ModuleList:
        """One for each stage."""
        return self._adversaries.modules

    @property
    def discriminator_interval(self) -> int:
        """As the recipe says."""
        return self._loss.discriminator_every

    def start_phase(self, stages: Sequence[int], learning_rate: float) -> None:
        """Gives the discriminators of `stages` (from 0) a new optimiser."""
        self._adversaries.start_phase(stages, learning_rate)

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the discriminators' next step."""
        self._adversaries.set_learning_rate(rate)

    def set_progress(self, share: float) -> None:
        """Sets the weights of the next step's terms."""
        self._weights = self._loss.after(share)

    def step_discriminators(
        self, outputs: list[Prediction], batch: PairBatch, stages: Sequence[int]
    ) -> bool:
        """Trains the discriminators of `stages`; gives whether the gradient was finite."""
        if not self._loss.adversarial:
            return True
        means = [outputs[m].mean for m in stages]
        return self._adversaries.step(lambda d: discriminator_loss(means, d, batch, self._loss))

    def try_discriminators(self, outputs: list[Prediction], batch: PairBatch) -> None:
        """Runs forward and backward of all discriminators; the caller drops the gradients."""
        if self._loss.adversarial:
            means = [p.mean for p in outputs]
            self._adversaries.try_step(lambda d: discriminator_loss(means, d, batch, self._loss))

    def state(self) -> dict[str, Mapping[Any, Any]]:
        """Gives weights and moments of the discriminators, tensors of any shape by name."""
        return self._adversaries.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `state` gave, flat and in its shapes, within the phase in hand."""
        self._adversaries.restore(state)

    def _dropout_masks(self, rng: np.random.Generator, batch: PairBatch) -> Tensor:
        """(n, mask_width): those of this process's pairs among all of the batch."""
        keep = np.float32(1 - self._config.dropout)
        here = batch.image.shape[0]
        shape = (here * self._processes.world_size, self._mask_width)
        kept = rng.random(shape, np.float32)[batch.first : batch.first + here] < keep
        # Not from_numpy, which gives tensors with values where an estimate wants none.
        return torch.tensor(kept / keep, device=self._device)
