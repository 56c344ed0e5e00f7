"""The networks that are installed with dfsynth, as their cards describe them; no torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dfsynth.checkpoint.card import ModelCard
from dfsynth.checkpoint.entries import Entries
from dfsynth.checkpoint.files import (
    CARD,
    SCORES,
    WEIGHTS,
    CheckpointFiles,
    packaged_folders,
    packaged_generators,
    read_checkpoint,
    read_checkpoint_file,
)
from dfsynth.checkpoint.networks import CONFIG_READERS
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.files.json_record import parse_object
from dfsynth.tasks import DEFAULT_TASK

_NAMELESS: Final = "not named"


@dataclass(frozen=True, slots=True)
class PackagedNetwork:
    """One installed network, and what its card says of it."""

    name: str
    """What commands take, as in `--checkpoint default`."""
    trained_as: str
    """The name that its training gave it."""
    network: str
    """The family of networks."""
    generates_images: bool
    """Whether it is a generator; others serve a part of dfsynth, such as segmenting lungs."""
    task: str | None
    """What a generator is for, by the name of the task; null of others."""
    grid: tuple[int, int]
    """Height and width in pixels of the images that it was trained on."""
    size_bytes: int
    """Of weights, card and heads for trust on disk."""
    license: str
    intended_use: str
    limits: str
    """What it cannot do, and where it is known to fail."""
    training_data: tuple[dict[str, str], ...]
    """Each with its name and licence."""
    recipe: str
    """The name of the training's recipe."""
    metrics: Mapping[str, Any]
    """Nested by data; a metric with an interval has value, low and high."""


@dataclass(frozen=True, slots=True)
class PackagedNetworks:
    """What is installed."""

    networks: tuple[PackagedNetwork, ...]
    """By name."""


def packaged_networks() -> tuple[PackagedNetwork, ...]:
    """The networks that are installed with dfsynth, by name.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    return tuple(_describe(folder) for folder in packaged_folders())


def packaged_network(name: str) -> PackagedNetwork:
    """One of `packaged_networks`.

    Raises:
        UsageError: none has this name.
        CheckpointError: a file is missing or damaged.
    """
    folders = {folder.name: folder for folder in packaged_folders()}
    if name not in folders:
        raise UsageError(f"no packaged network {name!r}: expected one of {', '.join(folders)}")
    return _describe(folders[name])


def _describe(folder: Path) -> PackagedNetwork:
    card = read_checkpoint_file(folder / CARD)
    others = [WEIGHTS, SCORES] if (folder / SCORES).exists() else [WEIGHTS]
    size_bytes = len(card) + sum(_size_bytes(folder / name) for name in others)
    try:
        return _parse(folder.name, card, size_bytes)
    except ValueError as error:
        raise CheckpointError(
            f"{folder / CARD} is no model card: {error}; install dfsynth again"
        ) from error


def _size_bytes(path: Path) -> int:
    """Of a file that is there; its bytes are not read."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror}; install dfsynth again"
        ) from error


def _parse(name: str, card: bytes, size_bytes: int) -> PackagedNetwork:
    """Takes what cards of all families have; what is a family's own is left."""
    entries = Entries(parse_object(card), "it")
    network = entries.text("network")
    return PackagedNetwork(
        name=name,
        trained_as=entries.text("name"),
        network=network,
        generates_images=network in CONFIG_READERS,
        task=_task(entries) if network in CONFIG_READERS else None,
        grid=_grid(entries),
        size_bytes=size_bytes,
        license=entries.text("licence"),
        intended_use=entries.text("intended_use"),
        limits=entries.text("limits"),
        training_data=entries.text_tables("training_data"),
        recipe=str(entries.mapping("recipe").get("name", _NAMELESS)),
        metrics=entries.mapping("metrics"),
    )


def _task(entries: Entries) -> str:
    """That of a card; cards of the default task name none."""
    return entries.text("task") if entries.has("task") else DEFAULT_TASK


def _grid(entries: Entries) -> tuple[int, int]:
    """Height and width; the card of a network of one size alone has a `side`."""
    if entries.has("side"):
        side = entries.whole("side")
        return side, side
    found = entries.wholes("grid")
    if len(found) != 2:
        raise ValueError(f"the entry 'grid' has {len(found)} numbers, not height and width")
    return found[0], found[1]


def require_members(files: CheckpointFiles) -> None:
    """Requires what `--mc fast` needs: several members, whose single passes differ.

    Raises:
        UsageError: the checkpoint has one.
    """
    if files.card.arguments.members > 1:
        return
    able = _names(files.card.task, lambda card: card.arguments.members > 1)
    packaged = f" ({', '.join(able)} of the packaged ones)" if able else ""
    raise UsageError(
        f"--mc fast: the checkpoint {files.card.name} has one member, whose single pass has no "
        f"spread; use --mc full, or a checkpoint with members{packaged}"
    )


def calibrated_checkpoints(task: str) -> str:
    """A clause for an error sentence: the packaged checkpoints that have an error calibration.

    Args:
        task: Whose checkpoints alone are of use, by name.

    Raises:
        CheckpointError: a packaged checkpoint is damaged.
    """
    found = _names(task, lambda card: bool(card.error_calibration))
    return f"packaged checkpoints that have it: {', '.join(found) or 'none'}"


def _names(task: str, is_wanted: Callable[[ModelCard], bool]) -> list[str]:
    """Of the packaged generators of a task, by name, those whose card is wanted."""
    cards = [(folder.name, read_checkpoint(folder).card) for folder in packaged_generators()]
    return [name for name, card in cards if card.task == task and is_wanted(card)]


def checkpoints_with_scores(task: str | None = None) -> tuple[str, ...]:
    """The names of the packaged checkpoints that fill the learned scores.

    Args:
        task: Whose checkpoints alone are of use, by name; None: any.
    """
    return tuple(
        folder.name
        for folder in packaged_folders()
        if (folder / SCORES).is_file() and (task is None or _describe(folder).task == task)
    )


def who_has_scores(task: str | None = None) -> str:
    """A clause for messages: see `checkpoints_with_scores`."""
    names = checkpoints_with_scores(task)
    if not names:
        return f"no packaged checkpoint{'' if task is None else f' for {task}'} has them"
    return f"packaged checkpoints that have them: {', '.join(names)}"
