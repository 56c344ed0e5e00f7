"""Checkpoints of one network, trained as members → one checkpoint that holds them all."""

from collections.abc import Sequence
from dataclasses import replace

from dfsynth.checkpoint import (
    DENOISER_MEMBERS_NETWORK,
    MEMBERS_NETWORK,
    CascadeConfig,
    CheckpointFiles,
    DenoiserMembersConfig,
    DiffusionConfig,
    FlowConfig,
    MembersConfig,
    ModelCard,
    NetworkConfig,
    require_generator,
)
from dfsynth.checkpoint.members import MOST_MEMBERS
from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.inference.weights import load_network
from dfsynth.models import DenoiserMembers, Members


def join_members(
    name: str, checkpoints: Sequence[CheckpointFiles]
) -> tuple[Members | DenoiserMembers, ModelCard]:
    """Joins checkpoints that `dfsynth train --member 0, 1, …` made.

    The card is the first one's, under another name, with the training data of all, and neither
    metrics nor calibration: those are of single members.

    Raises:
        UsageError: fewer than two, too many, one of them twice, of a family that has no members, or
            of tasks, networks, grids or windows that differ.
        CheckpointError: one of them is damaged.
    """
    cards = [files.card for files in checkpoints]
    for card in cards:
        require_generator(card.arguments)
    distinct = len({files.sha256 for files in checkpoints})
    if distinct < len(checkpoints) or not 2 <= distinct <= MOST_MEMBERS:
        raise UsageError(
            f"found {counted(len(checkpoints), 'checkpoint')}, {distinct} of them different; "
            f"expected 2 to {MOST_MEMBERS} members, each given once"
        )
    first = cards[0]
    for card in cards:
        if card.arguments.members > 1:
            raise UsageError(f"{card.name} is no single network; expected members that are")
        alike = (card.arguments, *_of_images(card))
        if alike != (first.arguments, *_of_images(first)):
            raise UsageError(
                f"{card.name} and {first.name} differ in task, network, grid, window or unit; "
                "expected members of one recipe"
            )
    network, joined = _network_of(len(cards), first.arguments)
    for member, files in zip(joined.members, checkpoints, strict=True):
        member.load_state_dict(load_network(files).state_dict())
    card = replace(
        first,
        name=name,
        network=network,
        arguments=joined.config,
        training_data=_training_data(cards),
        recipe=first.recipe | {"members": [files.sha256 for files in checkpoints]},
        metrics={},
        calibration={},
        error_calibration=(),
    )
    return joined.eval(), card


def _of_images(card: ModelCard) -> tuple[object, ...]:
    """What a card says of the images that go in and come out."""
    values = card.intensity, card.unit, card.output_intensity
    return card.task_record, card.grid, card.window, *values


def _network_of(count: int, config: NetworkConfig) -> tuple[str, Members | DenoiserMembers]:
    """The name in cards, and a network, of `count` members of one configuration."""
    if isinstance(config, CascadeConfig):
        return MEMBERS_NETWORK, Members(MembersConfig(count, config))
    if not isinstance(config, DiffusionConfig | FlowConfig):
        raise UsageError(
            f"networks of the configuration {type(config).__name__} cannot be joined; expected "
            "members of the networks cascade, diffusion or flow"
        )
    members = DenoiserMembers(DenoiserMembersConfig(count, config))
    return DENOISER_MEMBERS_NETWORK, members


def _training_data(cards: Sequence[ModelCard]) -> tuple[dict[str, str], ...]:
    """Each collection once, with the most pairs that a member saw of it: draws differ."""
    found: dict[tuple[str | None, str | None], dict[str, str]] = {}
    for entry in (entry for card in cards for entry in card.training_data):
        key = entry.get("name"), entry.get("licence")
        if key not in found or _pairs(entry) > _pairs(found[key]):
            found[key] = entry
    return tuple(found.values())


def _pairs(entry: dict[str, str]) -> int:
    """As a card says it; 0 where it says nothing, or no number."""
    count = entry.get("training_pairs", "")
    return int(count) if count.isdecimal() else 0
