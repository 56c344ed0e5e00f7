"""The discriminators of a training, one a stage, and their own steps."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor, nn

from dfsynth.models.discriminator import PatchDiscriminator
from dfsynth.optimisation import restore_optimiser, state_part
from dfsynth.train import stored_keys
from dfsynth.train.gradients import clip_gradients
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Recipe

_BETAS: Final = (0.5, 0.999)
"""Of Adam: Isola et al., CVPR 2017."""
DiscriminatorLoss: TypeAlias = Callable[[Sequence[nn.Module]], Tensor]
"""Discriminators, of the stages that are trained → a scalar."""


def build_discriminators(recipe: Recipe) -> nn.ModuleList:
    """Builds a discriminator for each stage, with initial weights from torch's global generator."""
    channels_in = 2 if recipe.loss.conditional else 1
    return nn.ModuleList(
        PatchDiscriminator(recipe.loss.discriminator, channels_in)
        for _ in range(recipe.network.stages)
    )


class Discriminators:
    """The discriminators of all stages with the optimiser of those that a phase trains."""

    def __init__(self, modules: nn.ModuleList, device: torch.device, processes: Processes) -> None:
        """Takes discriminators, which lie on `device` once `start_phase` makes their optimiser."""
        self.modules = modules
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

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the next step."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def step(self, loss: DiscriminatorLoss) -> bool:
        """Trains the discriminators of the phase, of which `loss` makes a scalar.

        Between such steps they are frozen, so that generators get gradients through them alone.

        Returns:
            Whether the gradient was finite in all processes; where it was not, no weight moved.
        """
        weights = [
            p for m in self._stages for p in self.modules[m].requires_grad_(True).parameters()
        ]
        self.optimiser.zero_grad(set_to_none=True)
        loss(self._shared).backward()
        finite = self._processes.all_true(clip_gradients(weights, 0.0), self._device)
        if finite:
            self.optimiser.step()
        self.modules.requires_grad_(False)
        return finite

    def try_step(self, loss: DiscriminatorLoss) -> None:
        """Runs forward and backward of all of them in this process; the caller drops gradients."""
        self.modules.requires_grad_(True)
        loss(list(self.modules)).backward()
        self.modules.requires_grad_(False)

    def state(self) -> dict[str, Mapping[Any, Any]]:
        """Gives weights and moments, tensors of any shape by name."""
        return {
            stored_keys.DISCRIMINATORS: self.modules.state_dict(),
            stored_keys.DISCRIMINATOR_OPTIMISER: self.optimiser.state_dict()["state"],
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `state` gave, flat and in its shapes, within the phase in hand."""
        self.modules.load_state_dict(state_part(state, stored_keys.DISCRIMINATORS))
        restore_optimiser(self.optimiser, state_part(state, stored_keys.DISCRIMINATOR_OPTIMISER))
