"""`model.json` as a record."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, get_args

from dfsynth.records import IntensityWindow

NETWORK: Final = "upgan-compact"
"""The cascade's name in every card; `backbone` says which network its stages are."""
CARD_VERSION: Final = 1
_MOST_STAGES: Final = 16

Backbone = Literal["compact", "published"]
Guidance = Literal["attention", "concat", "none"]
Likelihood = Literal["gennorm", "laplace", "gaussian", "point"]


@dataclass(frozen=True, slots=True)
class CascadeConfig:
    """The arguments of the network `upgan-compact`; the defaults are the packaged checkpoint's.

    Raises:
        ValueError: a number out of its range, or an unknown choice.
    """

    stages: int = 3
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """Channels of the U-Net from fine to coarse."""
    dropout: float = 0.1
    lung_head: bool = True
    backbone: Backbone = "compact"
    """The network of every stage."""
    guidance: Guidance = "attention"
    """What a later stage sees, beside the radiograph, of the stage before it."""
    likelihood: Likelihood = "gennorm"
    """What is said of every pixel: which heads there are."""

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


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What `model.json` says."""

    name: str
    network: str
    arguments: CascadeConfig
    grid: tuple[int, int]
    intensity: IntensityWindow
    unit: str
    window: tuple[float, float]
    licence: str
    intended_use: str
    limits: str
    training_data: tuple[dict[str, str], ...]
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    """Quantile, as text, → k: the central interval mean ± k · total standard deviation."""
    card_version: int = CARD_VERSION


def encode_card(card: ModelCard) -> str:
    """The text of `model.json`."""
    return json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
