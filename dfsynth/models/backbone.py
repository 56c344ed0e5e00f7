"""What a cascade of whole U-Nets needs of the network of one stage."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor

from dfsynth.models.stage import Stage


class StageNetwork(Stage, ABC):
    """(n, channels_in, H, W) → (n, channels_out, H, W), in two halves, drawing nothing itself.

    A backbone is made by `backbone(channels_in, channels_out, widths)`, widths from fine to
    coarse, and raises ValueError for widths that do not fit it. Its dropout sites go from coarse to
    fine.
    """

    divisor: int
    """H and W must be divisible by this."""

    @abstractmethod
    def encode(self, x: Tensor) -> list[Tensor]:
        """Encodes x (n, channels_in, H, W) as features (n, …), which all samples of x share."""

    @abstractmethod
    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Decodes features to (n, channels_out, H, W) float32, one mask (n, channels) a site."""

    @abstractmethod
    def zero_output(self) -> None:
        """Makes the output 0 for every input, so that a stage starts as the one before it."""
