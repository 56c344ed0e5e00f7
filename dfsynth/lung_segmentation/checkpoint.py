"""A lung segmentation network on disk: `weights.safetensors` and `model.json`, never unpickled."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from dfsynth.checkpoint import CARD, WEIGHTS, encode_card
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.files import read_checkpoint_file, write_checkpoint
from dfsynth.errors import CheckpointError
from dfsynth.files.json_record import parse_object
from dfsynth.lung_segmentation.network import OUTPUT_CHANNELS, LungSegmentationNetwork
from dfsynth.models.unet import UNet
from dfsynth.models.weights import decode_weights, encode_weights
from dfsynth.resources import data_folder

NETWORK_NAME: Final = "lung-reader"
"""The network's name in `model.json`, and the packaged folder's; both as in version 0.1."""
_CARD_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class LungNetworkCard:
    """What `model.json` says of a lung segmentation network."""

    name: str
    widths: tuple[int, ...]
    """Channels of the U-Net from fine to coarse."""
    side: int
    """Pixels a side of the square grid."""
    license: str
    intended_use: str
    limits: str
    training_data: tuple[dict[str, str], ...]
    recipe: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    network: str = NETWORK_NAME
    card_version: int = _CARD_VERSION


def packaged_lung_network() -> Path:
    """The folder of the checkpoint that is installed with the package."""
    return data_folder("checkpoints") / NETWORK_NAME


def parse_lung_card(raw: bytes) -> LungNetworkCard:
    """Parses the text of `model.json`.

    Raises:
        ValueError: a sentence of what was found and expected.
    """
    entries = Entries(parse_object(raw), "it")
    version, network = entries.whole("card_version"), entries.text("network")
    if (version, network) != (_CARD_VERSION, NETWORK_NAME):
        raise ValueError(
            f"it describes network {network!r} in card version {version}; expected "
            f"{NETWORK_NAME!r} in card version {_CARD_VERSION}"
        )
    card = LungNetworkCard(
        name=entries.text("name"),
        widths=entries.wholes("widths"),
        side=entries.whole("side"),
        license=entries.text("licence"),
        intended_use=entries.text("intended_use"),
        limits=entries.text("limits"),
        training_data=entries.text_tables("training_data"),
        recipe=entries.mapping("recipe"),
        metrics=entries.mapping("metrics"),
    )
    entries.finish()
    return card


def load_lung_network(folder: Path) -> tuple[LungSegmentationNetwork, LungNetworkCard]:
    """The network in `folder` with its card, float32 on the CPU.

    Raises:
        CheckpointError: a file is missing or damaged, or the two do not belong together.
    """
    raw, weights = read_checkpoint_file(folder / CARD), read_checkpoint_file(folder / WEIGHTS)
    try:
        card = parse_lung_card(raw)
        with torch.device("meta"):
            network = UNet(1, OUTPUT_CHANNELS, card.widths)
        if card.side % network.divisor:
            raise ValueError(f"its side {card.side} is no multiple of {network.divisor}")
        network.load_state_dict(decode_weights(weights, WEIGHTS), assign=True)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{folder} holds no lung segmentation network of this version of dfsynth: "
            f"{str(error).splitlines()[0]}; get the checkpoint again"
        ) from error
    return LungSegmentationNetwork(network.eval(), card.side), card


def save_lung_network(folder: Path, network: UNet, card: LungNetworkCard) -> None:
    """Writes a network, weights in float16, into `folder`, which is made.

    Raises:
        ValueError: a weight does not fit float16.
        OSError: the disk refuses.
    """
    write_checkpoint(folder, encode_weights(network), encode_card(card))
