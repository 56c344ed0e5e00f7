"""What a cascade asks of the network of one stage."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn


class StageNetwork(nn.Module, ABC):
    """(n, channels_in, H, W) → (n, channels_out, H, W), in two halves, drawing nothing itself.

    A backbone is made by `backbone(channels_in, channels_out, widths)`, widths from fine to
    coarse, and raises ValueError for widths that do not fit it.
    """

    divisor: int
    """H and W must be divisible by this."""
    dropout_channels: tuple[int, ...]
    """Channels of each dropout site, coarse to fine."""
    raw_alpha: nn.Parameter | None
    """The weight behind one width for all pixels, where the likelihood has no head for it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("raw_alpha", None)

    @abstractmethod
    def encode(self, x: Tensor) -> list[Tensor]:
        """x (n, channels_in, H, W) → features, each (n, …), which all samples of x share."""

    @abstractmethod
    def decode(self, features: list[Tensor], masks: Sequence[Tensor]) -> Tensor:
        """Features and one mask (n, channels) a dropout site → (n, channels_out, H, W) float32."""

    @abstractmethod
    def zero_output(self) -> None:
        """Makes the output 0 for every input, so that a stage starts as the one before it."""
