"""Checkpoints: a folder with `weights.safetensors` and `model.json`; nothing is unpickled."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from dfsynth.errors import CheckpointError, UsageError
from dfsynth.models import Cascade, CascadeConfig
from dfsynth.records import IntensityWindow
from dfsynth.resources import data_folder

WEIGHTS: Final = "weights.safetensors"
CARD: Final = "model.json"
NETWORK: Final = "upgan-compact"
CARD_VERSION: Final = 1


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
class Checkpoint:
    """A network with its weights, float32 on the CPU, and its card."""

    network: Cascade
    card: ModelCard
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


def load_checkpoint(folder: Path) -> Checkpoint:
    """Reads and checks a checkpoint.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit this version of dfsynth.
    """
    card_bytes = _read(folder / CARD)
    card = _parse_card(folder / CARD, card_bytes)
    weights = folder / WEIGHTS
    weights_bytes = _read(weights)
    try:
        state = load(weights_bytes)
    except SafetensorError as error:
        raise CheckpointError(
            f"{weights} is damaged or no safetensors file; get the checkpoint again"
        ) from error
    network = Cascade(card.arguments)
    try:
        network.load_state_dict({k: v.float() for k, v in state.items()})
    except RuntimeError as error:
        raise CheckpointError(
            f"the tensors of {weights} are not those of the network {card.network} "
            f"with the arguments in {CARD}; the two files do not belong together"
        ) from error
    digest = hashlib.sha256(weights_bytes + card_bytes).hexdigest()
    return Checkpoint(network.eval(), card, digest)


def save_checkpoint(folder: Path, network: Cascade, card: ModelCard) -> None:
    """Writes a checkpoint, weights in float16, into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    (folder / CARD).write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")


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
