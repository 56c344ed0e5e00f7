"""The configurations of networks that draw samples of the output out of noise.

A card keeps them under `arguments`, a recipe sets them in `[network]`. They need the extra
`dfsynth[diffusion]`.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Final, Literal, Self, TypeAlias

from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.members import MOST_MEMBERS
from dfsynth.records import (
    DIFFUSION_SAMPLERS,
    FLOW_SAMPLERS,
    DiffusionSampler,
    FlowSampler,
    SamplerName,
    SamplerSettings,
)

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

    samplers: ClassVar[tuple[SamplerName, ...]] = ()
    """What may lead from noise to a sample; the first is meant where nothing is said."""
    widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the U-Net from fine to coarse, multiples of 8; the coarsest has attention."""
    blocks: int = 1
    """Residual blocks at each resolution."""
    span: tuple[float, float] = (0.0, 1.0)
    """Values of the output that the network sees as -1 and 1; others go beyond. They are in its
    unit, or shares of its range where the task gives one."""
    steps: int = 10
    """Passes of the network that turn noise into a sample; the weights do not depend on it."""
    sampler: SamplerName = "ddim"
    """What leads from noise to a sample; the weights do not depend on it."""
    guidance: float = 0.0
    """Weight w of classifier-free guidance: a sample follows 1 + w times the velocity that the
    input image gives less w times that without one. 0 is none, and takes half the passes."""
    drop_condition: float = 0.0
    """Share of training images whose input is taken away, in [0, 1): above 0, guidance is possible
    (Ho & Salimans 2022, arXiv:2207.12598)."""
    residual: float = 0.0
    """Above 0, what is drawn is the output less the input, over this (the difference that the
    network sees as 1, with the span from -1 to 1), for tasks whose input is a worse image of the
    same quantity: Li et al. (SRDiff), Neurocomputing 2022. 0: the output itself."""

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
        if self.sampler not in self.samplers:
            raise ValueError(
                f"expected a sampler of this family of networks, {', '.join(self.samplers)}, found "
                f"{self.sampler}"
            )
        if not 0 <= self.residual < math.inf:
            raise ValueError(f"expected a residual of 0 or more, found {self.residual:g}")
        self._check_guidance()

    def _check_guidance(self) -> None:
        if not 0 <= self.drop_condition < 1:
            raise ValueError(f"expected a drop_condition in [0, 1), found {self.drop_condition:g}")
        # Written so that NaN is refused too.
        if not 0 <= self.guidance < math.inf:
            raise ValueError(f"expected a guidance of 0 or more, found {self.guidance:g}")
        if self.guidance and not self.drop_condition:
            raise ValueError(
                "expected no guidance of a network that is trained with every input "
                f"([network] drop_condition = 0), found {self.guidance:g}"
            )

    @property
    def sampling(self) -> SamplerSettings:
        """How samples are drawn unless something else is asked for."""
        return SamplerSettings(self.sampler, self.steps, self.guidance)

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

    @property
    def has_dropout(self) -> bool:
        """Samples differ by their noise alone."""
        return False

    @property
    def denoiser(self) -> Self:
        """The network turns noise into samples."""
        return self


@dataclass(frozen=True, slots=True)
class DiffusionConfig(DenoiserConfig):
    """The arguments of the network `diffusion`.

    Raises:
        ValueError: a number is out of its range.
    """

    samplers: ClassVar[tuple[SamplerName, ...]] = DIFFUSION_SAMPLERS
    sampler: DiffusionSampler = "ddim"
    name: Literal["diffusion"] = "diffusion"
    """What recipes call it."""
    conditional: bool = True
    """Whether it sees the input image; without, it knows one collection of images alone and is a
    degrader: it noises a radiograph up to `degrade_level` and denoises that."""
    degrade_level: int = 200
    """Of `NOISE_LEVELS`, of a network without a condition; the weights do not depend on it. More
    gives images more like those of the collection, and less like the radiograph."""

    def __post_init__(self) -> None:
        DenoiserConfig.__post_init__(self)
        if self.sampler == "dpm-solver":
            if self.steps == NOISE_LEVELS:
                raise ValueError(
                    f"expected fewer steps of dpm-solver than {NOISE_LEVELS}, found {self.steps}"
                )
        elif NOISE_LEVELS % self.steps:
            raise ValueError(
                f"expected steps of equal length, a divisor of {NOISE_LEVELS} such as 5, 10, 20 "
                f"or 50, found {self.steps}"
            )
        if not self.conditional:
            self._check_degrading()

    def _check_degrading(self) -> None:
        step = NOISE_LEVELS // self.steps
        if not step <= self.degrade_level <= NOISE_LEVELS or self.degrade_level % step:
            raise ValueError(
                f"expected as degrade_level a multiple of {step}, the levels of one of "
                f"{self.steps} steps, up to {NOISE_LEVELS}, found {self.degrade_level}"
            )
        if self.sampler != "ddim" or self.drop_condition or self.residual:
            raise ValueError(
                "expected of a network without a condition the sampler ddim, and drop_condition "
                f"and residual = 0, found {self.sampler}, {self.drop_condition:g} and "
                f"{self.residual:g}"
            )


@dataclass(frozen=True, slots=True)
class FlowConfig(DenoiserConfig):
    """The arguments of the network `flow`.

    Raises:
        ValueError: a number is out of its range.
    """

    samplers: ClassVar[tuple[SamplerName, ...]] = FLOW_SAMPLERS
    sampler: FlowSampler = "euler"
    name: Literal["flow"] = "flow"
    """What recipes call it."""
    steps: int = 4

    def __post_init__(self) -> None:
        DenoiserConfig.__post_init__(self)
        if self.sampler == "midpoint" and self.steps % 2:
            raise ValueError(
                "expected an even number of steps of midpoint, which takes the network's passes by "
                f"twos, found {self.steps}"
            )


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

    @property
    def has_dropout(self) -> bool:
        """Samples differ by their noise alone."""
        return False

    @property
    def denoiser(self) -> AnyDenoiserConfig:
        """Each network turns noise into samples, all in the same way."""
        return self.network


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
    kind = _KINDS[name]
    config = kind(
        widths=arguments.wholes("widths"),
        blocks=arguments.whole("blocks"),
        span=(span[0], span[1]),
        steps=arguments.whole("steps"),
        sampler=arguments.choice("sampler", kind.samplers, kind.samplers[0]),  # type: ignore[arg-type]
        guidance=arguments.real("guidance") if arguments.has("guidance") else 0.0,
        drop_condition=arguments.real("drop_condition") if arguments.has("drop_condition") else 0.0,
        residual=arguments.real("residual") if arguments.has("residual") else 0.0,
    )
    if isinstance(config, DiffusionConfig):
        config = _with_condition(config, arguments)
    arguments.finish()
    return config


def _with_condition(config: DiffusionConfig, arguments: Entries) -> DiffusionConfig:
    """Cards of before know conditional networks alone."""
    if arguments.has("degrade_level"):
        config = replace(config, degrade_level=arguments.whole("degrade_level"))
    if arguments.has("conditional"):
        config = replace(config, conditional=arguments.truth("conditional"))
    return config
