"""The discriminators of a training, one a stage, and their own steps."""

from collections.abc import Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from dfsynth.datasets import PairBatch
from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.optimisation import restore_optimiser
from dfsynth.train.gradients import clip_gradients
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import LossWeights, Recipe
from dfsynth.train.terms import discriminator_loss

_BETAS: Final = (0.5, 0.999)
"""Of Adam: Isola et al., CVPR 2017."""


def build_discriminators(recipe: Recipe) -> nn.ModuleList:
    """Builds a discriminator for each stage, with initial weights from torch's global generator."""
    channels_in = 2 if recipe.loss.conditional else 1
    return nn.ModuleList(
        PatchDiscriminator(channels_in=channels_in) for _ in range(recipe.network.stages)
    )


class Discriminators:
    """The discriminators of all stages with the optimiser of those that a phase trains."""

    def __init__(
        self, modules: nn.ModuleList, loss: LossWeights, device: torch.device, processes: Processes
    ) -> None:
        """Takes discriminators, which lie on `device` once `start_phase` makes their optimiser."""
        self.modules = modules
        self._loss = loss
        self._device = device
        self._processes = processes
        self._shared: list[nn.Module] = []

    def start_phase(self, stages: Sequence[int], learning_rate: float) -> None:
        """Gives the discriminators of `stages` (from 0) a new optimiser."""
        self._stages = list(stages)
        trained = [self.modules[m] for m in stages]
        weights = [p for module in trained for p in module.requires_grad_(True).parameters()]
        self.optimiser = torch.optim.Adam(weights, learning_rate, betas=_BETAS)
        self._shared = [self._processes.share(module, self._device) for module in trained]
        self.modules.requires_grad_(False)

    def step(self, means: Sequence[Tensor], batch: PairBatch) -> bool:
        """Trains the discriminators of the phase on the means (n, 1, H, W) of their stages.

        Between such steps they are frozen, so that generators get gradients through them alone.

        Returns:
            Whether the gradient was finite in all processes; where it was not, no weight moved.
        """
        if not self._loss.adversarial:
            return True
        weights = [
            p for m in self._stages for p in self.modules[m].requires_grad_(True).parameters()
        ]
        self.optimiser.zero_grad(set_to_none=True)
        discriminator_loss(means, self._shared, batch, self._loss.conditional).backward()
        finite = self._processes.all_true(clip_gradients(weights, 0.0), self._device)
        if finite:
            self.optimiser.step()
        self.modules.requires_grad_(False)
        return finite

    def try_step(self, means: Sequence[Tensor], batch: PairBatch) -> None:
        """Runs forward and backward of all of them in this process; the caller drops gradients.

        `means` has a map (n, 1, H, W) for each stage.
        """
        if not self._loss.adversarial:
            return
        self.modules.requires_grad_(True)
        discriminator_loss(means, list(self.modules), batch, self._loss.conditional).backward()
        self.modules.requires_grad_(False)

    def restore(self, weights: Mapping[str, Tensor], optimiser: Mapping[str, Tensor]) -> None:
        """Takes up weights and moments, by name, in their shapes, within the phase in hand."""
        self.modules.load_state_dict(weights)
        restore_optimiser(self.optimiser, optimiser)
