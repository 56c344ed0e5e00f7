"""Checkpoint files → network, and back."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save_file

from dfsynth.checkpoint import CARD, WEIGHTS, CheckpointFiles, ModelCard, encode_card
from dfsynth.errors import CheckpointError
from dfsynth.models import Cascade


def load_network(files: CheckpointFiles) -> Cascade:
    """The network with its weights, float32 on the CPU, in evaluation mode.

    Raises:
        CheckpointError: the weights are damaged or do not fit the card.
    """
    path = files.folder / WEIGHTS
    try:
        state = load(files.weights)
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file; get the checkpoint again"
        ) from error
    network = Cascade(files.card.arguments)
    try:
        network.load_state_dict({k: v.float() for k, v in state.items()})
    except RuntimeError as error:
        raise CheckpointError(
            f"the tensors of {path} are not those of the network {files.card.network} "
            f"with the arguments in {CARD}; the two files do not belong together"
        ) from error
    return network.eval()


def save_checkpoint(folder: Path, network: Cascade, card: ModelCard) -> None:
    """Writes a checkpoint, weights in float16, into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    save_file(state, folder / WEIGHTS)
    (folder / CARD).write_text(encode_card(card), encoding="utf-8")
