"""What all families of generator networks have in common, so that a checkpoint can keep them."""

from abc import ABC, abstractmethod
from typing import Final, Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import NetworkConfig

_ROWS_OF_ONE_COLUMN: Final = 4
"""A grid that ends as one column when it is halved may have so many rows then. On processors with
AMX, PyTorch 2.13 convolves higher ones wrongly in bfloat16: with stride 2 it gives what was in
memory, NaN among it."""


class GeneratorNetwork(nn.Module):
    """A network with the configuration that it was built from.

    A family is a subclass that is built by `subclass(config)` and whose weights depend on the
    configuration alone.
    """

    config: NetworkConfig


class TrainableNetwork(GeneratorNetwork, ABC):
    """A network that `dfsynth train` can train, in stages of which it may have one alone."""

    divisor: int
    """Both sides of an image must be divisible by this."""

    @abstractmethod
    def stage(self, m: int) -> nn.Module:
        """Gives what is trained as stage m (from 0)."""

    def pad(self, images: Tensor) -> Tensor:
        """Images (n, 1, H, W) with 0 below and to the right, up to sides that `divisor` divides.

        What would end as one high column is made as wide as two.
        """
        return F.pad(images, self._missing(*images.shape[-2:]))

    def pad_by_edges(self, images: Tensor) -> Tensor:
        """Images (n, 1, H, W) with their last row and column repeated, up to such sides."""
        return F.pad(images, self._missing(*images.shape[-2:]), mode="replicate")

    def _missing(self, height: int, width: int) -> tuple[int, int, int, int]:
        right, below = -width % self.divisor, -height % self.divisor
        if width + right == self.divisor and height + below > _ROWS_OF_ONE_COLUMN * self.divisor:
            right += self.divisor
        return 0, right, 0, below


class DegradingNetwork(Protocol):
    """A network that makes low-quality partners of good radiographs."""

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        """Gives the shape of what is drawn for one image of height × width pixels."""

    def degrade(self, images: Tensor, noise: Tensor) -> Tensor:
        """Makes partners of radiographs (n, 1, H, W) in [0, 1], of the same shape and range.

        They follow from the images and `noise`, (n, *noise_shape), which is standard normal.
        """
