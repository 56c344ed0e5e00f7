"""The configuration of the cascade: what its card keeps under `arguments`, and its recipe sets."""

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

from dfsynth.checkpoint.entries import Entries

NETWORK: Final = "upgan-compact"
"""The cascade's name in every card; `backbone` says which network its stages are."""
_MOST_STAGES: Final = 16

Backbone = Literal["coarse", "compact", "published", "residual-unet", "casnet"]
Guidance = Literal["attention", "concat", "none"]
Likelihood = Literal["gennorm", "laplace", "gaussian", "point", "quantile"]


@dataclass(frozen=True, slots=True)
class CascadeConfig:
    """The arguments of the network `upgan-compact`; the defaults are the packaged checkpoint's.

    Raises:
        ValueError: a number is out of its range, or a choice is unknown.
    """

    name: ClassVar[Literal["cascade"]] = "cascade"
    """What recipes call it."""
    stages: int = 3
    """How many networks refine each other, 1 to 16."""
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """Channels of the U-Net from fine to coarse."""
    dropout: float = 0.1
    """Probability with which a channel is dropped, in [0, 1)."""
    lung_head: bool = True
    """Whether the first stage also predicts where lung is."""
    backbone: Backbone = "compact"
    """The network of every stage: `coarse` samples on a grid four times coarser than the image,
    with one refinement at full resolution; the others make every sample at full resolution.
    `residual-unet` says what to add to the image, which may have any range; `casnet` is six
    U-blocks one after the other."""
    guidance: Guidance = "attention"
    """What a later stage sees, beside the radiograph, of the stage before it."""
    likelihood: Likelihood = "gennorm"
    """The distribution predicted for every pixel, which decides the heads; `quantile` is a mean
    with the 5 % and the 95 % quantile beside it."""
    residual: float = 0.0
    """Above 0, the mean is the input plus this times what the stages compute, which starts at 0,
    for tasks whose input is a worse image of the same quantity. 0: the mean itself."""

    @property
    def members(self) -> int:
        """A cascade is one network."""
        return 1

    @property
    def has_dropout(self) -> bool:
        """Whether channels are dropped at use."""
        return self.dropout > 0

    @property
    def denoiser(self) -> None:
        """No network here turns noise into samples."""
        return None

    def __post_init__(self) -> None:
        if not 1 <= self.stages <= _MOST_STAGES:
            raise ValueError(f"expected 1 to {_MOST_STAGES} stages, found {self.stages}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"expected a dropout in [0, 1), found {self.dropout}")
        for name, known in (
            ("backbone", get_args(Backbone)),
            ("guidance", get_args(Guidance)),
            ("likelihood", get_args(Likelihood)),
        ):
            found = getattr(self, name)
            if found not in known:
                raise ValueError(f"expected as {name} one of {', '.join(known)}, found {found!r}")
        # Written so that NaN is refused too.
        if not 0 <= self.residual < math.inf:
            raise ValueError(f"expected a residual of 0 or more, found {self.residual:g}")


def read_cascade_config(arguments: Entries) -> CascadeConfig:
    """Reads the `arguments` of a card of a cascade.

    The last four came later: cards without them are of the networks that there were before.

    Raises:
        ValueError: an entry is missing, unknown, of another type or out of its range.
    """
    config = CascadeConfig(
        stages=arguments.whole("stages"),
        widths=arguments.wholes("widths"),
        dropout=arguments.real("dropout"),
        lung_head=arguments.truth("lung_head"),
        backbone=arguments.choice("backbone", get_args(Backbone), "compact"),
        guidance=arguments.choice("guidance", get_args(Guidance), "attention"),
        likelihood=arguments.choice("likelihood", get_args(Likelihood), "gennorm"),
        residual=arguments.real("residual") if arguments.has("residual") else 0.0,
    )
    arguments.finish()
    return config
