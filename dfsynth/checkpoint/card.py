"""`model.json`, the half of a checkpoint that can be read without torch.

A checkpoint is a folder with `weights.safetensors` and `model.json`; nothing is unpickled.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from dfsynth.errors import CheckpointError, UsageError
from dfsynth.records import IntensityWindow
from dfsynth.resources import data_folder

WEIGHTS: Final = "weights.safetensors"
CARD: Final = "model.json"
NETWORK: Final = "upgan-compact"
CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class CascadeConfig:
    """The arguments of the network `upgan-compact`."""

    stages: int = 3
    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """Channels of the U-Net from fine to coarse."""
    dropout: float = 0.1
    lung_head: bool = True

    def __post_init__(self) -> None:
        if self.stages < 1:
            raise ValueError(f"expected at least one stage, found {self.stages}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"expected a dropout in [0, 1), found {self.dropout}")


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


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A checkpoint as it lies on disk, read and identified but not yet a network."""

    folder: Path
    card: ModelCard
    weights: bytes
    sha256: str
    """Over the weights file, then the card."""


def checkpoint_path(wanted: str) -> Path:
    """A packaged checkpoint's name or a folder → the folder.

    Raises:
        UsageError: neither a packaged name nor a folder with a `model.json`.
    """
    packaged = data_folder("checkpoints")
    for folder in (packaged / wanted, Path(wanted)):
        if (folder / CARD).is_file():
            return folder
    names = ", ".join(sorted(p.name for p in packaged.iterdir() if p.is_dir()))
    raise UsageError(
        f"no checkpoint {wanted!r}: expected a folder with {CARD} and {WEIGHTS}, "
        f"or one of the packaged names: {names}"
    )


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Reads both files of a checkpoint and checks the card.

    Raises:
        CheckpointError: a file is missing, damaged, or of another version of dfsynth.
    """
    card_bytes, weights = _read(folder / CARD), _read(folder / WEIGHTS)
    digest = hashlib.sha256(weights + card_bytes).hexdigest()
    return CheckpointFiles(folder, _parse_card(folder / CARD, card_bytes), weights, digest)


def encode_card(card: ModelCard) -> str:
    """The text of `model.json`."""
    return json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror}; a checkpoint holds {CARD} and {WEIGHTS}"
        ) from error


def _parse_card(path: Path, raw: bytes) -> ModelCard:
    try:
        found = json.loads(raw)
        version, network = found["card_version"], found["network"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged: it is no model card; get it again") from error
    if version != CARD_VERSION or network != NETWORK:
        raise CheckpointError(
            f"{path} describes network {network!r} in card version {version!r}; this version of "
            f"dfsynth knows {NETWORK!r} in card version {CARD_VERSION}"
        )
    try:
        arguments = dict(found.pop("arguments"))
        arguments["widths"] = tuple(arguments["widths"])
        height, width = found.pop("grid")
        low, high = found.pop("window")
        return ModelCard(
            arguments=CascadeConfig(**arguments),
            grid=(int(height), int(width)),
            window=(float(low), float(high)),
            intensity=IntensityWindow(**found.pop("intensity")),
            training_data=tuple(found.pop("training_data")),
            **found,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} lacks an entry or has one that does not fit: {error}; get it again"
        ) from error
