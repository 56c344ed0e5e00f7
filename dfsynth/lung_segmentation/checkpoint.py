"""A lung reader on disk: `weights.safetensors` and `model.json`; nothing is unpickled."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dfsynth.checkpoint import CARD, WEIGHTS
from dfsynth.checkpoint.entries import Entries
from dfsynth.errors import CheckpointError
from dfsynth.lung_segmentation.network import READER_OUTPUTS, NetworkReader
from dfsynth.models.unet import UNet

READER: Final = "lung-reader"
"""The network's name in `model.json`, and the packaged folder's."""
_CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class ReaderCard:
    """What `model.json` says of a lung reader."""

    name: str
    widths: tuple[int, ...]
    """Channels of the U-Net from fine to coarse."""
    side: int
    """Of the square grid."""
    licence: str
    intended_use: str
    limits: str
    training_data: tuple[dict[str, str], ...]
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    network: str = READER
    card_version: int = _CARD_VERSION


def parse_reader_card(raw: bytes) -> ReaderCard:
    """The text of `model.json` → card.

    Raises:
        ValueError: a sentence of what was found and expected.
    """
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    entries = Entries(found, "it")
    version, network = entries.whole("card_version"), entries.text("network")
    if (version, network) != (_CARD_VERSION, READER):
        raise ValueError(
            f"it describes network {network!r} in card version {version}; expected {READER!r} "
            f"in card version {_CARD_VERSION}"
        )
    card = ReaderCard(
        name=entries.text("name"),
        widths=entries.wholes("widths"),
        side=entries.whole("side"),
        licence=entries.text("licence"),
        intended_use=entries.text("intended_use"),
        limits=entries.text("limits"),
        training_data=entries.text_tables("training_data"),
        recipe=entries.mapping("recipe"),
        metrics=entries.mapping("metrics"),
    )
    entries.finish()
    return card


def load_reader(folder: Path) -> tuple[NetworkReader, ReaderCard]:
    """The reader in `folder` with its card, float32 on the CPU.

    Raises:
        CheckpointError: a file is missing or damaged, or the two do not belong together.
    """
    raw, weights = _read(folder / CARD), _read(folder / WEIGHTS)
    try:
        card = parse_reader_card(raw)
        with torch.device("meta"):
            network = UNet(1, READER_OUTPUTS, card.widths)
        if card.side % network.divisor:
            raise ValueError(f"its side {card.side} is no multiple of {network.divisor}")
        network.load_state_dict(_finite(load(weights)), assign=True)
    except (ValueError, RuntimeError, SafetensorError, KeyError) as error:
        raise CheckpointError(
            f"{folder} holds no lung reader of this version of dfsynth: "
            f"{str(error).splitlines()[0]}; get the checkpoint again"
        ) from error
    return NetworkReader(network.eval(), card.side), card


def save_reader(folder: Path, network: UNet, card: ReaderCard) -> None:
    """Writes a reader, weights in float16, into `folder`, which is made.

    Raises:
        ValueError: a weight does not fit float16.
    """
    state = _finite({k: v.half().contiguous() for k, v in network.state_dict().items()})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(save({k: v.half() for k, v in state.items()}))
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    (folder / CARD).write_text(text, encoding="utf-8")


def _finite(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors in float32."""
    strange = [k for k, v in state.items() if not torch.isfinite(v.float()).all()]
    if strange:
        raise ValueError(f"weights that are no finite numbers: {', '.join(strange)}")
    return {k: v.float() for k, v in state.items()}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror}; a checkpoint holds {CARD} and {WEIGHTS}"
        ) from error
