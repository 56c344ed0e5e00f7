"""Checkpoint files → network, and back."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dfsynth.checkpoint import CARD, WEIGHTS, CheckpointFiles, ModelCard, encode_card
from dfsynth.errors import CheckpointError
from dfsynth.models import Cascade


def load_network(files: CheckpointFiles) -> Cascade:
    """The network with its weights, float32 on the CPU, in evaluation mode.

    Raises:
        CheckpointError: the weights are damaged or do not fit the card.
    """
    path = files.folder / WEIGHTS
    state = _read_weights(path, files.weights)
    # On no device: no memory before the shapes are known to fit, no draw of initial weights.
    try:
        with torch.device("meta"):
            network = Cascade(files.card.arguments)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{files.folder / CARD} asks for a network {files.card.network} that cannot be built "
            f"from widths {files.card.arguments.widths}; get the checkpoint again"
        ) from error
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise CheckpointError(
            f"the tensors of {path} are not those of the network {files.card.network} "
            f"with the arguments in {CARD}; the two files do not belong together"
        ) from error
    return network.eval()


def save_checkpoint(folder: Path, network: Cascade, card: ModelCard) -> None:
    """Writes a checkpoint, weights in float16, into `folder`, which is made.

    Raises:
        ValueError: the card is of another network, or a weight does not fit float16.
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
    """Names → float32 tensors.

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
