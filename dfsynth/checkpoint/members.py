"""The configuration of several cascades in one checkpoint, whose disagreement is uncertainty."""

from dataclasses import dataclass
from typing import Final

from dfsynth.checkpoint.cascade import CascadeConfig, read_cascade_config
from dfsynth.checkpoint.entries import Entries

MEMBERS_NETWORK: Final = "upgan-members"
MOST_MEMBERS: Final = 16


@dataclass(frozen=True, slots=True)
class MembersConfig:
    """The arguments of the network `upgan-members`.

    Raises:
        ValueError: the number of members is out of its range.
    """

    members: int
    """How many cascades share the samples of an image, 2 to 16."""
    cascade: CascadeConfig
    """Of each of them."""
    fast_spread: float = 1.0
    """What makes the spread of single passes that of all dropout samples, on average."""

    def __post_init__(self) -> None:
        if not 2 <= self.members <= MOST_MEMBERS:
            raise ValueError(f"expected 2 to {MOST_MEMBERS} members, found {self.members}")
        if not 0 < self.fast_spread < 100:
            raise ValueError(f"expected a fast_spread in (0, 100), found {self.fast_spread}")

    @property
    def stages(self) -> int:
        """Stages of each member."""
        return self.cascade.stages

    @property
    def has_dropout(self) -> bool:
        """Whether the members drop channels at use."""
        return self.cascade.has_dropout

    @property
    def lung_head(self) -> bool:
        """Whether the members also predict where lung is."""
        return self.cascade.lung_head

    @property
    def denoiser(self) -> None:
        """No network here turns noise into samples."""
        return None


def read_members_config(arguments: Entries) -> MembersConfig:
    """Reads the `arguments` of a card of members.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    config = MembersConfig(
        members=arguments.whole("members"),
        cascade=read_cascade_config(arguments.table("cascade")),
        fast_spread=arguments.real("fast_spread"),
    )
    arguments.finish()
    return config
