"""The files of a checkpoint, as far as they can be read without torch.

A checkpoint is a folder with `weights.safetensors` and `model.json`; nothing is unpickled.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dfsynth.checkpoint.card import ModelCard
from dfsynth.checkpoint.networks import CONFIG_READERS
from dfsynth.checkpoint.parsing import parse_card
from dfsynth.errors import CheckpointError, UsageError
from dfsynth.files.json_record import parse_object
from dfsynth.resources import data_folder

WEIGHTS: Final = "weights.safetensors"
CARD: Final = "model.json"


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A checkpoint as it lies on disk, read and identified but not yet a network."""

    folder: Path
    card: ModelCard
    weights: bytes
    sha256: str
    """In hexadecimal, over the weights file, then the card."""


def checkpoint_path(wanted: str) -> Path:
    """Finds the folder of a checkpoint, given as a packaged generator's name or as a folder.

    Raises:
        UsageError: it is neither a packaged name nor a folder with a `model.json`.
    """
    packaged = packaged_folders()
    generators = {folder.name: folder for folder in packaged if _generates(folder)}
    if wanted in generators:
        return generators[wanted]
    if (Path(wanted) / CARD).is_file():
        return Path(wanted)
    found = f"no checkpoint {wanted!r}"
    if wanted in {folder.name for folder in packaged}:
        found = f"the packaged network {wanted!r} generates no images"
    if (Path(wanted) / "best" / CARD).is_file():
        found = f"{wanted} is a run of training; its checkpoint is {Path(wanted) / 'best'}"
    raise UsageError(
        f"{found}: expected a folder with {CARD} and {WEIGHTS}, "
        f"or one of the packaged names: {', '.join(generators)}"
    )


def packaged_folders() -> list[Path]:
    """The folders of all packaged networks, by name; some generate no images."""
    return sorted(path for path in data_folder("checkpoints").iterdir() if path.is_dir())


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Reads both files of a checkpoint and checks the card.

    Raises:
        CheckpointError: a file is missing, damaged, or of another version of dfsynth.
    """
    card_bytes, weights = (
        read_checkpoint_file(folder / CARD),
        read_checkpoint_file(folder / WEIGHTS),
    )
    digest = hashlib.sha256(weights + card_bytes).hexdigest()
    try:
        card = parse_card(card_bytes)
    except ValueError as error:
        raise CheckpointError(
            f"{folder / CARD} is no model card: {error}; get the checkpoint again, or the "
            "version of dfsynth that it was made for"
        ) from error
    return CheckpointFiles(folder, card, weights, digest)


def write_checkpoint(folder: Path, weights: bytes, card: str) -> None:
    """Writes both files of a checkpoint into `folder`, which is made.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Not safetensors' save_file: it makes files that nobody else on a shared machine may read.
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text(card, encoding="utf-8")


def read_checkpoint_file(path: Path) -> bytes:
    """Reads one of a checkpoint's two files.

    Raises:
        CheckpointError: it is not there or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read {path}: {error.strerror}; a checkpoint holds {CARD} and {WEIGHTS}"
        ) from error


def _generates(folder: Path) -> bool:
    """Whether a packaged network is a generator.

    A damaged card counts as one: reading it says what is wrong.
    """
    try:
        return parse_object((folder / CARD).read_bytes())["network"] in CONFIG_READERS
    except (OSError, ValueError, LookupError, TypeError):
        return True
