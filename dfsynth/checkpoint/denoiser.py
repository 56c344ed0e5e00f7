"""The configurations of networks that draw samples of the output out of noise.

A card keeps them under `arguments`, a recipe sets them in `[network]`. They need the extra
`dfsynth[diffusion]`.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from dfsynth.checkpoint.entries import Entries

DIFFUSION_NETWORK: Final = "diffusion"
"""The name of the family in a card."""
FLOW_NETWORK: Final = "flow"
"""The name of the family in a card."""
NOISE_LEVELS: Final = 1000
"""Between the output and pure noise, of which a diffusion network is trained on one at a time."""
_LEAST_WIDTH: Final = 8
_Config = TypeVar("_Config", bound="DenoiserConfig")


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
    """Values of the output, in its unit, that the network sees as -1 and 1; others go beyond."""
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

    def __post_init__(self) -> None:
        DenoiserConfig.__post_init__(self)
        if NOISE_LEVELS % self.steps:
            raise ValueError(
                f"expected steps of equal length, a divisor of {NOISE_LEVELS} such as 5, 10, 20 "
                f"or 50, found {self.steps}"
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


def read_diffusion_config(arguments: Entries) -> DiffusionConfig:
    """Reads the `arguments` of a card of a diffusion network.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    return _read(DiffusionConfig, DIFFUSION_NETWORK, arguments)


def read_flow_config(arguments: Entries) -> FlowConfig:
    """Reads the `arguments` of a card of a flow-matching network.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    return _read(FlowConfig, FLOW_NETWORK, arguments)


def _read(kind: type[_Config], name: str, arguments: Entries) -> _Config:
    arguments.choice("name", (name,), name)
    span = arguments.reals("span")
    if len(span) != 2:
        raise ValueError("the entry 'span' is not a low and a higher value")
    config = kind(
        widths=arguments.wholes("widths"),
        blocks=arguments.whole("blocks"),
        span=(span[0], span[1]),
        steps=arguments.whole("steps"),
    )
    arguments.finish()
    return config
