"""How MUNIT is trained: reconstruction, cycle and adversarial terms of two unpaired collections.

Huang et al., ECCV 2018, equations 2 to 5, with the weights of its section 5.1 and the cycle term of
its appendix; discriminators are trained by least squares at several scales.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import MunitConfig
from dfsynth.datasets import PairBatch
from dfsynth.errors import UsageError
from dfsynth.models import MunitImages, TrainableNetwork
from dfsynth.models.discriminator import MultiScaleDiscriminator
from dfsynth.train.degrader_objective import DegraderObjective
from dfsynth.train.discriminators import Discriminators
from dfsynth.train.losses import least_squares_discriminator, least_squares_generator
from dfsynth.train.processes import Processes
from dfsynth.train.recipe import Recipe

IMAGE_WEIGHT: Final = 10.0
"""Of images from their own content and style, and of those that come back."""
_LEAST_SIDE: Final = 16
"""In pixels, of images whose patches a discriminator can score."""
_COARSEST_SIDE: Final = 64
"""In pixels, of the coarsest images that are scored where there are several scales, as in the paper
at 256: from coarser ones, patches of 46 pixels would judge how a chest lies in its image."""
_MOST_SCALES: Final = 3


class MunitObjective(DegraderObjective[MunitImages]):
    """The losses of MUNIT, and a discriminator of several scales for each collection."""

    def __init__(
        self,
        recipe: Recipe,
        network: TrainableNetwork,  # noqa: ARG002
        device: torch.device,
        processes: Processes,
    ) -> None:
        """Builds discriminators with initial weights from torch's global generator."""
        assert isinstance(recipe.network, MunitConfig)
        self._styles = recipe.network.style
        self._device = device
        self._processes = processes
        side = recipe.augmentation.crop or recipe.size
        modules = nn.ModuleList([_Adversaries(recipe.network.width, _scales(side))])
        self._adversaries = Discriminators(modules, device, processes)

    @classmethod
    def check_recipe(cls, recipe: Recipe, side: int) -> None:
        """Requires that norms and discriminators can work on images of side × side pixels.

        Raises:
            UsageError: they cannot; the message names what works.
        """
        assert isinstance(recipe.network, MunitConfig)
        least = max(_LEAST_SIDE, 4 * 2**recipe.network.halvings)
        if side < least:
            key = "size" if recipe.augmentation.crop is None else "[augmentation] crop"
            raise UsageError(
                f"{key} = {side} is too small for MUNIT with {recipe.network.halvings} halvings; "
                f"expected {least} or more"
            )

    def run(
        self,
        network: nn.Module,
        batch: PairBatch,
        rng: np.random.Generator,
        stages: Sequence[int],  # noqa: ARG002
    ) -> MunitImages:
        """Makes all images of a batch, maps (n, 1, H, W), with styles that are drawn from `rng`."""
        here = batch.image.shape[0]
        shape = (2, here * self._processes.world_size, self._styles)
        drawn = rng.standard_normal(shape, np.float32)[:, batch.first : batch.first + here]
        # Not from_numpy, which gives tensors with values where an estimate wants none.
        styles = torch.tensor(drawn, device=self._device)
        found: MunitImages = network(batch.image, batch.target, *styles)
        return found

    def terms(
        self,
        outputs: MunitImages,
        batch: PairBatch,
        stages: Sequence[int],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Computes the weighted terms by name, float32 scalars, each of both collections."""
        both = (batch.image, batch.target)
        adversaries = self.discriminators[0]
        assert isinstance(adversaries, _Adversaries)
        seen = adversaries.scores_of_made(outputs)
        return {
            "image": IMAGE_WEIGHT * _misfits((outputs.good_again, outputs.poor_again), both),
            "content": _misfits(outputs.contents_again, outputs.contents),
            "style": _misfits(outputs.styles_again, outputs.styles),
            "cycle": IMAGE_WEIGHT * _misfits((outputs.good_cycle, outputs.poor_cycle), both),
            "adversarial": torch.stack([least_squares_generator(s) for s in seen]).sum(),
        }

    @property
    def discriminators(self) -> nn.ModuleList:
        """One module, of the discriminators of both collections."""
        return self._adversaries.modules

    def start_phase(self, stages: Sequence[int], learning_rate: float) -> None:
        """Gives the discriminators a new optimiser."""
        self._adversaries.start_phase(stages, learning_rate)

    def set_learning_rate(self, rate: float) -> None:
        """Sets the learning rate of the discriminators' next step."""
        self._adversaries.set_learning_rate(rate)

    def step_discriminators(
        self,
        outputs: MunitImages,
        batch: PairBatch,
        stages: Sequence[int],  # noqa: ARG002
    ) -> bool:
        """Trains the discriminators on what was made of a batch (n, 1, H, W).

        Returns:
            Whether the gradient was finite.
        """
        return self._adversaries.step(lambda found: _discriminator_loss(found[0], outputs, batch))

    def try_discriminators(self, outputs: MunitImages, batch: PairBatch) -> None:
        """Runs forward and backward of the discriminators, on images (n, 1, H, W).

        The caller drops the gradients.
        """
        self._adversaries.try_step(lambda found: _discriminator_loss(found[0], outputs, batch))

    def state(self) -> dict[str, Mapping[Any, Any]]:
        """Gives weights and moments of the discriminators, tensors of any shape by name."""
        return self._adversaries.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `state` gave, flat and in its shapes, within the phase in hand."""
        self._adversaries.restore(state)


class _Adversaries(nn.Module):
    """What tells images that were made from those of a collection, for both."""

    def __init__(self, width: int, scales: int) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width)
        self.good = MultiScaleDiscriminator(widths, scales)
        self.poor = MultiScaleDiscriminator(widths, scales)

    def forward(self, good: Tensor, poor: Tensor) -> list[Tensor]:
        """Scores the patches of images (n, 1, H, W) of either kind: maps (n, 1, h, w)."""
        return [*self.good(good), *self.poor(poor)]

    def scores_of_made(self, outputs: MunitImages) -> list[Tensor]:
        """Scores what the generators made, for their own loss."""
        return self(outputs.good_made, outputs.poor_made)


def _discriminator_loss(adversaries: nn.Module, outputs: MunitImages, batch: PairBatch) -> Tensor:
    """Least squares, 1 for images of the collection and 0 for what was made."""
    good, poor = (
        torch.cat([real, made.detach()])
        for real, made in ((batch.image, outputs.good_made), (batch.target, outputs.poor_made))
    )
    # In one pass: gradients that are shared between processes allow no second one.
    halves = [scores.chunk(2) for scores in adversaries(good, poor)]
    return torch.stack([least_squares_discriminator(*each) for each in halves]).sum()


def _misfits(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """The mean absolute difference, of each pair of tensors; their sum."""
    losses = [F.l1_loss(f.float(), w.float()) for f, w in zip(found, wanted, strict=True)]
    return torch.stack(losses).sum()


def _scales(side: int) -> int:
    """As many as leave the coarsest image its side, up to the paper's."""
    return max(1, min(_MOST_SCALES, (side // _COARSEST_SIDE).bit_length()))
