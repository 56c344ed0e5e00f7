"""What a cascade needs of the module of one stage, whatever computes it."""

from torch import nn


class Stage(nn.Module):
    """The weights that are trained as one stage, and its sites of dropout."""

    dropout_channels: tuple[int, ...]
    """Channels of each dropout site, in the order of the masks."""
    raw_alpha: nn.Parameter | None
    """The weight behind one width for all pixels, where the likelihood has no head for it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_parameter("raw_alpha", None)
