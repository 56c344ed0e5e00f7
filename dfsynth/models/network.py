"""What all families of generator networks have in common, so that a checkpoint can keep them."""

from abc import ABC, abstractmethod
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor, nn

from dfsynth.checkpoint import NetworkConfig


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
        """Images (n, 1, H, W) with 0 below and to the right, up to sides that `divisor` divides."""
        height, width = images.shape[-2:]
        return F.pad(images, (0, -width % self.divisor, 0, -height % self.divisor))

    def pad_by_edges(self, images: Tensor) -> Tensor:
        """Images (n, 1, H, W) with their last row and column repeated, up to such sides."""
        height, width = images.shape[-2:]
        added = (0, -width % self.divisor, 0, -height % self.divisor)
        return F.pad(images, added, mode="replicate")


class DegradingNetwork(Protocol):
    """A network that makes low-quality partners of good radiographs."""

    def noise_shape(self, height: int, width: int) -> tuple[int, ...]:
        """Gives the shape of what is drawn for one image of height × width pixels."""

    def degrade(self, images: Tensor, noise: Tensor) -> Tensor:
        """Makes partners of radiographs (n, 1, H, W) in [0, 1], of the same shape and range.

        They follow from the images and `noise`, (n, *noise_shape), which is standard normal.
        """
