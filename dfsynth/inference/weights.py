"""Checkpoint files → network or generator, and back."""

from pathlib import Path

import torch

from dfsynth.checkpoint import (
    CARD,
    SCORES,
    WEIGHTS,
    CheckpointFiles,
    ModelCard,
    choose_sampler,
    encode_card,
)
from dfsynth.checkpoint.files import write_checkpoint
from dfsynth.errors import CheckpointError
from dfsynth.inference.map_generator import MapGenerator
from dfsynth.inference.networks import FAMILIES
from dfsynth.inference.units import InUnits
from dfsynth.models import GeneratorNetwork
from dfsynth.models.weights import decode_weights, encode_weights
from dfsynth.records import AS_THE_CARD_SAYS, MonteCarloMode, SamplerChoice
from dfsynth.trust import Judge, TrustHeads, decode_heads, encode_heads


def load_network(files: CheckpointFiles) -> GeneratorNetwork:
    """Builds the network that a card describes, with its weights.

    It is in float32 on the CPU, in evaluation mode.

    Raises:
        CheckpointError: the weights are damaged or do not fit the card.
    """
    path, card = files.folder / WEIGHTS, files.card
    try:
        state = decode_weights(files.weights, str(path))
    except ValueError as error:
        raise CheckpointError(f"{error}; get the checkpoint again") from error
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
    files: CheckpointFiles,
    device: torch.device,
    precision: str,
    mc_samples: int,
    seed: int = 0,
    mc: MonteCarloMode = "full",
    heads: Judge | None = None,
    choice: SamplerChoice = AS_THE_CARD_SAYS,
) -> MapGenerator:
    """Makes a checkpoint ready to generate maps, in the unit of its card, on a device.

    `precision` is fp32, bf16 or fp16, as `resolve_precision` gives it; `mc_samples` (1 or more)
    Monte-Carlo samples are drawn of each image; with `mc` "fast", each member runs once instead.
    `heads` judge in place of the checkpoint's own; `choice` says how samples are drawn out of noise
    where that is not as in the card.

    Raises:
        UsageError: the checkpoint cannot be sampled as is chosen, or is a degrader.
        CheckpointError: the weights are damaged or do not fit the card.
    """
    settings = choose_sampler(files.card.arguments, choice)
    network = load_network(files)
    if heads is None and files.scores is not None:
        heads = decode_heads(files.scores, str(files.folder / SCORES))
    make = FAMILIES[files.card.network].sampler
    assert make is not None
    how = (device, precision, mc_samples, seed, heads, mc)
    drawn = {} if settings is None else {"settings": settings}
    generator = make(network, *how, intensity=files.card.intensity, **drawn)
    output = files.card.output_intensity
    return generator if output is None else InUnits(generator, output)


def save_checkpoint(
    folder: Path, network: GeneratorNetwork, card: ModelCard, heads: TrustHeads | None = None
) -> None:
    """Writes a checkpoint into `folder`, which is made; weights are kept in float16.

    Raises:
        ValueError: the card is of another network, or a weight does not fit float16.
        OSError: the disk refuses.
    """
    if card.arguments != network.config:
        raise ValueError(f"the card is of {card.arguments}, the network of {network.config}")
    scores = None if heads is None else encode_heads(heads)
    write_checkpoint(folder, encode_weights(network), encode_card(card), scores)
