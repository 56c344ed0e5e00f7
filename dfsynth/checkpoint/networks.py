"""The families of networks that a card may name, as far as they are known without torch.

A new family is a module like `cascade.py` and a line here; `dfsynth.inference.networks` says how
the same name is built and sampled.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final, Protocol

from dfsynth.checkpoint.cascade import NETWORK, read_cascade_config
from dfsynth.checkpoint.denoiser import (
    DENOISER_MEMBERS_NETWORK,
    DIFFUSION_NETWORK,
    FLOW_NETWORK,
    DenoiserConfig,
    read_denoiser_members_config,
    read_diffusion_config,
    read_flow_config,
)
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.members import MEMBERS_NETWORK, read_members_config
from dfsynth.checkpoint.munit import MUNIT_NETWORK, read_munit_config


class NetworkConfig(Protocol):
    """The arguments of a network of any family: a frozen dataclass, written field by field."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def stages(self) -> int:
        """How many predictions the network makes of an image, the last being the one to use."""

    @property
    def members(self) -> int:
        """How many networks the checkpoint holds, among which samples are shared out."""

    @property
    def has_dropout(self) -> bool:
        """Whether channels are dropped at use, so that samples of one network differ."""

    @property
    def lung_head(self) -> bool:
        """Whether the network also predicts where lung is."""

    @property
    def denoiser(self) -> DenoiserConfig | None:
        """What turns noise into samples, of each member; None where nothing does.

        Such a network needs several samples of an image, and the extra `dfsynth[diffusion]`.
        """


CONFIG_READERS: Final[dict[str, Callable[[Entries], NetworkConfig]]] = {
    NETWORK: read_cascade_config,
    MEMBERS_NETWORK: read_members_config,
    DIFFUSION_NETWORK: read_diffusion_config,
    FLOW_NETWORK: read_flow_config,
    DENOISER_MEMBERS_NETWORK: read_denoiser_members_config,
    MUNIT_NETWORK: read_munit_config,
}
"""A network's name in a card → what reads its `arguments`, raising ValueError as `Entries` do."""
