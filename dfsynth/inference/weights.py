"""Checkpoint files → network or generator, and back."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dfsynth.checkpoint import CARD, WEIGHTS, CheckpointFiles, ModelCard, encode_card
from dfsynth.errors import CheckpointError
from dfsynth.inference.map_generator import MapGenerator
from dfsynth.inference.networks import FAMILIES
from dfsynth.models import GeneratorNetwork


def load_network(files: CheckpointFiles) -> GeneratorNetwork:
    """Builds the network that a card describes, with its weights.

    It is in float32 on the CPU, in evaluation mode.

    Raises:
        CheckpointError: the weights are damaged or do not fit the card.
    """
    path, card = files.folder / WEIGHTS, files.card
    state = _read_weights(path, files.weights)
    # On no device: no memory before the shapes are known to fit, no draw of initial weights.
    try:
        with torch.device("meta"):
            network = FAMILIES[card.network].build(card.arguments)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{files.folder / CARD} asks for a network {card.network} that cannot be built "
            f"from {card.arguments}; get the checkpoint again"
        ) from error
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"the tensors of {path} are not those of the network {card.network} "
            f"with the arguments in {CARD}; the two files do not belong together"
        ) from error
    return network.eval()


def load_map_generator(
    files: CheckpointFiles, device: torch.device, precision: str, mc_samples: int, seed: int = 0
) -> MapGenerator:
    """Makes a checkpoint ready to generate maps on a device.

    `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it; `mc_samples` (1 or more)
    Monte-Carlo samples are drawn of each image.

    Raises:
        CheckpointError: the weights are damaged or do not fit the card.
    """
    network = load_network(files)
    return FAMILIES[files.card.network].sampler(network, device, precision, mc_samples, seed)


def save_checkpoint(folder: Path, network: GeneratorNetwork, card: ModelCard) -> None:
    """Writes a checkpoint into `folder`, which is made; weights are kept in float16.

    Raises:
        ValueError: the card is of another network, or a weight does not fit float16.
        OSError: the disk refuses.
    """
    if card.arguments != network.config:
        raise ValueError(f"the card is of {card.arguments}, the network of {network.config}")
    state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    beyond = [name for name, weight in state.items() if not torch.isfinite(weight).all()]
    if beyond:
        raise ValueError(f"weights that are no finite float16 numbers: {', '.join(beyond)}")
    folder.mkdir(parents=True, exist_ok=True)
    # Not save_file: it makes files that nobody else on a shared machine may read.
    (folder / WEIGHTS).write_bytes(save(state))
    (folder / CARD).write_text(encode_card(card), encoding="utf-8")


def _read_weights(path: Path, raw: bytes) -> dict[str, Tensor]:
    """Parses the weights file into float32 tensors by name.

    Raises:
        CheckpointError: no safetensors file, or numbers that no training leaves behind.
    """
    try:
        state = load(raw)
    except (SafetensorError, KeyError) as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file; get the checkpoint again"
        ) from error
    strange = [
        name
        for name, weight in state.items()
        if not weight.is_floating_point() or not torch.isfinite(weight.float()).all()
    ]
    if strange:
        raise CheckpointError(
            f"{path} is damaged: {len(strange)} of its {len(state)} tensors hold something else "
            "than finite numbers; get the checkpoint again"
        )
    return {name: weight.float() for name, weight in state.items()}
