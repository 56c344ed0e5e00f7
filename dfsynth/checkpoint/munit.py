"""The configuration of MUNIT, which is trained on two unpaired collections and makes partners.

A card keeps it under `arguments`, a recipe sets it in `[network]`.
"""

from dataclasses import dataclass
from typing import Final, Literal

from dfsynth.checkpoint.entries import Entries

MUNIT_NETWORK: Final = "munit"
"""The name of the family in a card."""


@dataclass(frozen=True, slots=True)
class MunitConfig:
    """The arguments of the network `munit` (Huang et al., ECCV 2018), of one grey channel.

    Raises:
        ValueError: a number is out of its range.
    """

    width: int = 16
    """Channels at full resolution; each halving of the resolution doubles them."""
    halvings: int = 1
    """Of the resolution between an image and its content."""
    blocks: int = 2
    """Residual blocks at the coarsest resolution, of each content encoder and decoder."""
    style: int = 8
    """Numbers of a style, which are drawn from a standard normal distribution."""
    name: Literal["munit"] = "munit"
    """What recipes call it."""

    def __post_init__(self) -> None:
        for key in ("width", "halvings", "blocks", "style"):
            if getattr(self, key) < 1:
                raise ValueError(f"expected a {key} of 1 or more, found {getattr(self, key)}")

    @property
    def stages(self) -> int:
        """All of it is trained together."""
        return 1

    @property
    def members(self) -> int:
        """One network draws all styles."""
        return 1

    @property
    def lung_head(self) -> bool:
        """There is no lung output."""
        return False

    @property
    def has_dropout(self) -> bool:
        """Samples differ by their style alone."""
        return False

    @property
    def denoiser(self) -> None:
        """No network here turns noise into samples."""
        return None


def read_munit_config(arguments: Entries) -> MunitConfig:
    """Reads the `arguments` of a card of MUNIT.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    arguments.choice("name", (MUNIT_NETWORK,), MUNIT_NETWORK)
    config = MunitConfig(
        width=arguments.whole("width"),
        halvings=arguments.whole("halvings"),
        blocks=arguments.whole("blocks"),
        style=arguments.whole("style"),
    )
    arguments.finish()
    return config
