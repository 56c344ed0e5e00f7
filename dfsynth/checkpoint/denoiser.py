"""The configurations of networks that draw samples of the output out of noise.

A card keeps them under `arguments`, a recipe sets them in `[network]`. They need the extra
`dfsynth[diffusion]`.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.members import MOST_MEMBERS

DIFFUSION_NETWORK: Final = "diffusion"
"""The name of the family in a card."""
FLOW_NETWORK: Final = "flow"
"""The name of the family in a card."""
DENOISER_MEMBERS_NETWORK: Final = "denoiser-members"
"""The name in a card of several networks of either family."""
NOISE_LEVELS: Final = 1000
"""Between the output and pure noise, of which a diffusion network is trained on one at a time."""
_LEAST_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class DenoiserConfig:
    """What diffusion and flow matching have in common: a U-Net that knows how noisy its input is.

    Raises:
        ValueError: a number is out of its range.
    """

    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the U-Net from fine to coarse, multiples of 8; the coarsest has attention."""
    blocks: int = 1
    """Residual blocks at each resolution."""
    span: tuple[float, float] = (0.0, 1.0)
    """Values of the output that the network sees as -1 and 1; others go beyond. They are in its
    unit, or shares of its range where the task gives one."""
    steps: int = 10
    """Passes of the network that turn noise into a sample; the weights do not depend on it."""

    def __post_init__(self) -> None:
        if len(self.widths) < 2 or any(w < 1 or w % _LEAST_WIDTH for w in self.widths):
            raise ValueError(
                f"expected at least two widths, each a multiple of {_LEAST_WIDTH}, found "
                f"{list(self.widths)}"
            )
        if self.blocks < 1:
            raise ValueError(f"expected 1 block or more, found {self.blocks}")
        if not self.span[0] < self.span[1]:
            raise ValueError(f"expected as span a low and a higher value, found {list(self.span)}")
        if not 1 <= self.steps <= NOISE_LEVELS:
            raise ValueError(f"expected 1 to {NOISE_LEVELS} steps, found {self.steps}")

    @property
    def conditional(self) -> bool:
        """Whether the network sees the input image beside the noisy output."""
        return True

    @property
    def stages(self) -> int:
        """One network makes the whole prediction."""
        return 1

    @property
    def members(self) -> int:
        """All samples are of one network."""
        return 1

    @property
    def lung_head(self) -> bool:
        """There is no lung output."""
        return False


@dataclass(frozen=True, slots=True)
class DiffusionConfig(DenoiserConfig):
    """The arguments of the network `diffusion`.

    Raises:
        ValueError: a number is out of its range.
    """

    name: Literal["diffusion"] = "diffusion"
    """What recipes call it."""
    conditional: bool = True
    """Whether it sees the input image; without, it knows one collection of images alone and is a
    degrader: it noises a radiograph up to `degrade_level` and denoises that."""
    degrade_level: int = 250
    """Of `NOISE_LEVELS`, of a network without a condition; the weights do not depend on it. More
    gives images more like those of the collection, and less like the radiograph."""

    def __post_init__(self) -> None:
        DenoiserConfig.__post_init__(self)
        if NOISE_LEVELS % self.steps:
            raise ValueError(
                f"expected steps of equal length, a divisor of {NOISE_LEVELS} such as 5, 10, 20 "
                f"or 50, found {self.steps}"
            )
        step = NOISE_LEVELS // self.steps
        if not self.conditional and (
            not step <= self.degrade_level <= NOISE_LEVELS or self.degrade_level % step
        ):
            raise ValueError(
                f"expected as degrade_level a multiple of {step}, the levels of one of "
                f"{self.steps} steps, up to {NOISE_LEVELS}, found {self.degrade_level}"
            )


@dataclass(frozen=True, slots=True)
class FlowConfig(DenoiserConfig):
    """The arguments of the network `flow`.

    Raises:
        ValueError: a number is out of its range.
    """

    name: Literal["flow"] = "flow"
    """What recipes call it."""
    steps: int = 4


AnyDenoiserConfig: TypeAlias = DiffusionConfig | FlowConfig
_KINDS: Final[dict[str, type[AnyDenoiserConfig]]] = {
    DIFFUSION_NETWORK: DiffusionConfig,
    FLOW_NETWORK: FlowConfig,
}


@dataclass(frozen=True, slots=True)
class DenoiserMembersConfig:
    """The arguments of the network `denoiser-members`.

    Raises:
        ValueError: the number of members is out of its range.
    """

    members: int
    """How many networks share the samples of an image, 2 to 16."""
    network: AnyDenoiserConfig
    """Of each of them."""

    def __post_init__(self) -> None:
        if not 2 <= self.members <= MOST_MEMBERS:
            raise ValueError(f"expected 2 to {MOST_MEMBERS} members, found {self.members}")

    @property
    def stages(self) -> int:
        """Each network makes the whole prediction."""
        return 1

    @property
    def lung_head(self) -> bool:
        """There is no lung output."""
        return False


def read_diffusion_config(arguments: Entries) -> AnyDenoiserConfig:
    """Reads the `arguments` of a card of a diffusion network.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    return _read(arguments, (DIFFUSION_NETWORK,))


def read_flow_config(arguments: Entries) -> AnyDenoiserConfig:
    """Reads the `arguments` of a card of a flow-matching network.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    return _read(arguments, (FLOW_NETWORK,))


def read_denoiser_members_config(arguments: Entries) -> DenoiserMembersConfig:
    """Reads the `arguments` of a card of several networks of either family.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    config = DenoiserMembersConfig(
        members=arguments.whole("members"),
        network=_read(arguments.table("network"), tuple(_KINDS)),
    )
    arguments.finish()
    return config


def _read(arguments: Entries, names: tuple[str, ...]) -> AnyDenoiserConfig:
    name = arguments.choice("name", names, names[0])
    span = arguments.reals("span")
    if len(span) != 2:
        raise ValueError("the entry 'span' is not a low and a higher value")
    config = _KINDS[name](
        widths=arguments.wholes("widths"),
        blocks=arguments.whole("blocks"),
        span=(span[0], span[1]),
        steps=arguments.whole("steps"),
    )
    if isinstance(config, DiffusionConfig):
        config = _with_condition(config, arguments)
    arguments.finish()
    return config


def _with_condition(config: DiffusionConfig, arguments: Entries) -> DiffusionConfig:
    """Cards of before know conditional networks alone."""
    if arguments.has("conditional"):
        config = replace(
            config,
            conditional=arguments.truth("conditional"),
            degrade_level=arguments.whole("degrade_level"),
        )
    return config
