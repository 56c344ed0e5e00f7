"""What all cascades have in common: stages that refine each other, sampled by channel dropout."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dfsynth.checkpoint import CascadeConfig
from dfsynth.counted_nouns import counted
from dfsynth.models.heads import Prediction, interpret
from dfsynth.models.network import TrainableNetwork
from dfsynth.models.stage import Stage


@dataclass(frozen=True, slots=True)
class PreparedImages:
    """What all samples of some images share, computed once."""

    images: Tensor
    """(k, 1, H, W), dense bright."""
    features: list[Tensor]
    """(k, …) each, as the first stage left them."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Of the predictive distribution of some images: maps (k, 1, H, W) float32."""

    mean: Tensor
    variance: Tensor
    """Aleatoric."""
    spread: Tensor
    """Epistemic standard deviation."""


class CascadeNetwork(TrainableNetwork):
    """M stages; each sees the radiograph and, after the first, the stage before it.

    Samples live on the network's own grid, which may be coarser than the image: `enlarge` and
    `refine` bring their moments to the image's. The lung output, where there is one, belongs to the
    first stage.
    """

    config: CascadeConfig
    stages: torch.nn.ModuleList
    economy: int = 1
    """Pixels of the image whose samples need as much memory as one pixel's of whole U-Nets."""

    def stage(self, m: int) -> Stage:
        """Gives what is trained as stage m (from 0)."""
        stage = self.stages[m]
        assert isinstance(stage, Stage)
        return stage

    @property
    def mask_width(self) -> int:
        """Channels that dropout can silence, all stages together."""
        return sum(sum(self.stage(m).dropout_channels) for m in range(self.config.stages))

    def split_masks(self, masks: Tensor) -> list[list[Tensor]]:
        """Splits masks (n, mask_width) by stage and dropout site into (n, channels) each."""
        sizes = [list(self.stage(m).dropout_channels) for m in range(self.config.stages)]
        parts = iter(torch.split(masks, [c for stage in sizes for c in stage], dim=1))
        return [[next(parts) for _ in stage] for stage in sizes]

    def prepare(self, images: Tensor) -> PreparedImages:
        """Computes what all samples of model inputs (k, 1, H, W) share.

        Raises:
            ValueError: H or W is not divisible by `divisor`.
        """
        height, width = images.shape[-2:]
        if height % self.divisor or width % self.divisor:
            raise ValueError(
                f"the grid must be divisible by {self.divisor}, found {height}x{width}"
            )
        return PreparedImages(images, self._encode(images))

    def sample(
        self, prepared: PreparedImages, masks: Tensor, upto: int | None = None
    ) -> list[Prediction]:
        """Predicts the stages 1 … `upto` (all of them by default) on the network's own grid.

        masks: (n, mask_width) with n a multiple of the k images: the n / k samples of one image lie
        next to each other. Values are 0 (dropped) or 1 / (1 − dropout).

        Raises:
            ValueError: n is no multiple of k.
        """
        count = prepared.images.shape[0]
        samples, rest = divmod(masks.shape[0], count)
        if rest:
            raise ValueError(
                f"{counted(masks.shape[0], 'mask')} cannot be shared by {counted(count, 'image')}"
            )
        last = self.config.stages if upto is None else upto
        return self._sample(prepared, self.split_masks(masks)[:last], samples)

    def predict_stage(
        self, m: int, raw: Tensor, before: Prediction | None, image: Tensor | None
    ) -> Prediction:
        """Interprets the raw output (n, c, h, w) of stage m (from 0) as `interpret` says.

        image: model inputs (n, 1, h, w) on the network's own grid, for a network with a residual,
        which starts from them.
        """
        likelihood, raw_alpha = self.config.likelihood, self.stage(m).raw_alpha
        return interpret(raw, before, likelihood, raw_alpha, image, self.config.residual)

    @property
    def stages_of_zero(self) -> range:
        """Stages (from 0) whose raw output is 0 until they are trained.

        A new stage starts as the one before it, and with a residual the first as the input.
        """
        return range(0 if self.config.residual else 1, self.config.stages)

    @abstractmethod
    def forward(self, image: Tensor, masks: Tensor, upto: int | None = None) -> list[Prediction]:
        """Predicts the stages 1 … `upto` (all of them by default) on the image's grid.

        image: model inputs (k, 1, H, W); masks as `sample` takes them.

        Raises:
            ValueError: H or W is not divisible by `divisor`, or n is no multiple of k.
        """

    @abstractmethod
    def enlarge(self, maps: Tensor) -> Tensor:
        """Brings maps (n, c, h, w) of the network's own grid to the image's, (n, c, H, W).

        It is linear, so that it may follow an average over samples as well as precede it.
        """

    @abstractmethod
    def refine(self, images: Tensor, moments: Moments) -> Moments:
        """Refines the moments of the last stage's samples, once for each of images (k, 1, H, W)."""

    @abstractmethod
    def _encode(self, images: Tensor) -> list[Tensor]:
        """The features of images (k, 1, H, W) for all samples."""

    @abstractmethod
    def _sample(
        self, prepared: PreparedImages, masks: Sequence[Sequence[Tensor]], samples: int
    ) -> list[Prediction]:
        """One prediction for each stage of `masks`, for `samples` samples of each image."""
