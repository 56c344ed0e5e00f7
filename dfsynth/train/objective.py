"""What a family of networks does in a step of training, as far as the trainer knows it."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.models import Prediction, TrainableNetwork
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Recipe
from dfsynth.train.validation import Scores, validate

Outputs = TypeVar("Outputs")
"""What a forward pass of the family gives, for its own loss."""


class Objective(ABC, Generic[Outputs]):
    """The forward passes and losses of a network on one device, and what is trained against it.

    The trainer has the optimiser, the average and the phases. It calls `run`, `terms`, then
    `step_discriminators` in every step. A family without discriminators leaves what is said of them
    as it is here.
    """

    @abstractmethod
    def __init__(
        self, recipe: Recipe, network: TrainableNetwork, device: torch.device, processes: Processes
    ) -> None:
        """Builds what is trained against a network of the recipe; the caller moves it to `device`.

        Initial weights come from torch's global generator.
        """

    @classmethod
    def check_recipe(cls, recipe: Recipe, side: int) -> None:
        """Requires that the losses can work on images of side × side pixels.

        Raises:
            UsageError: they cannot; the message names what works.
        """

    @abstractmethod
    def run(
        self,
        network: nn.Module,
        batch: PairBatch,
        rng: np.random.Generator,
        stages: Sequence[int],
    ) -> Outputs:
        """Passes a batch, maps (n, 1, H, W), forward as far as `stages` (from 0) need it.

        `network` is the objective's own, or shares its gradients between processes. All draws come
        from `rng` as those of the batch of all processes, of which this process takes its part.
        """

    @abstractmethod
    def terms(self, outputs: Outputs, batch: PairBatch, stages: Sequence[int]) -> dict[str, Tensor]:
        """Computes the weighted terms of the loss by name, float32 scalars summed over `stages`."""

    @abstractmethod
    def predict(self, network: TrainableNetwork, image: Tensor) -> list[Prediction]:
        """Predicts all stages for validation, from model inputs (n, 1, H, W) of any size.

        `network` has the weights to validate and is left in evaluation mode. Equal weights and
        images give equal predictions.
        """

    def validate(
        self, network: TrainableNetwork, batches: Iterable[PairBatch], device: torch.device
    ) -> Scores:
        """Scores a network on batches of validation pairs, maps (n, 1, H, W) of any n each.

        Raises:
            ValueError: there is no batch.
        """
        return validate(lambda image: self.predict(network, image), batches, device)

    @property
    def discriminators(self) -> nn.ModuleList:
        """What is trained against the network, and nobody keeps after the training."""
        return nn.ModuleList()

    @property
    def discriminator_interval(self) -> int:
        """Steps of the network for each step of its discriminators, from the first on."""
        return 1

    def start_phase(self, stages: Sequence[int], learning_rate: float) -> None:
        """Gives the discriminators of `stages` (from 0) a new optimiser."""

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the discriminators' next step."""

    def set_progress(self, share: float) -> None:
        """Says which share of the phase's steps, from 0 to 1, lies before the next one."""

    def step_discriminators(
        self,
        outputs: Outputs,  # noqa: ARG002
        batch: PairBatch,  # noqa: ARG002
        stages: Sequence[int],  # noqa: ARG002
    ) -> bool:
        """Trains the discriminators of `stages`; gives whether the gradient was finite."""
        return True

    def try_discriminators(self, outputs: Outputs, batch: PairBatch) -> None:
        """Runs forward and backward of all discriminators; the caller drops the gradients."""

    def state(self) -> dict[str, Mapping[Any, Any]]:
        """Gives all that `restore` needs of the discriminators, tensors of any shape by name."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `state` gave, flat and in its shapes, within the phase in hand."""
