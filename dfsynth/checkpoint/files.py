"""The files of a checkpoint, as far as they can be read without torch.

A checkpoint is a folder with `weights.safetensors` and `model.json`, and with
`scores.safetensors` where it has heads that say how far its images can be trusted; nothing is
unpickled.
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
SCORES: Final = "scores.safetensors"


@dataclass(frozen=True, slots=True)
class CheckpointFiles:
    """A checkpoint as it lies on disk, read and identified but not yet a network."""

    folder: Path
    card: ModelCard
    weights: bytes
    sha256: str
    """In hexadecimal, over the weights file, then the card, then `scores` where there is any."""
    scores: bytes | None = None
    """The heads for trust, in the safetensors format; null where the checkpoint has none."""


def checkpoint_path(wanted: str) -> Path:
    """Finds the folder of a checkpoint, given as a packaged generator's name or as a folder.

    Raises:
        UsageError: it is neither a packaged name nor a folder with a `model.json`.
    """
    generators = {folder.name: folder for folder in packaged_generators()}
    if wanted in generators:
        return generators[wanted]
    if (Path(wanted) / CARD).is_file():
        return Path(wanted)
    found = f"no checkpoint {wanted!r}"
    if wanted in {folder.name for folder in packaged_folders()}:
        found = f"the packaged network {wanted!r} generates no images"
    if (Path(wanted) / "best" / CARD).is_file():
        found = f"{wanted} is a run of training; its checkpoint is {Path(wanted) / 'best'}"
    raise UsageError(
        f"{found}: expected a folder with {CARD} and {WEIGHTS}, "
        f"or one of the packaged names: {', '.join(generators)}"
    )


def packaged_generators() -> tuple[Path, ...]:
    """The folders of the packaged generators, by name."""
    return tuple(folder for folder in packaged_folders() if _generates(folder))


def packaged_folders() -> list[Path]:
    """The folders of all packaged networks, by name; some generate no images."""
    return sorted(path for path in data_folder("checkpoints").iterdir() if path.is_dir())


def read_checkpoint(folder: Path) -> CheckpointFiles:
    """Reads the files of a checkpoint and checks the card.

    Raises:
        CheckpointError: a file is missing, damaged, or of another version of dfsynth.
    """
    card_bytes, weights = (
        read_checkpoint_file(folder / CARD),
        read_checkpoint_file(folder / WEIGHTS),
    )
    scores = read_checkpoint_file(folder / SCORES) if (folder / SCORES).exists() else None
    digest = hashlib.sha256(weights + card_bytes + (scores or b"")).hexdigest()
    try:
        card = parse_card(card_bytes)
    except ValueError as error:
        raise CheckpointError(
            f"{folder / CARD} is no model card: {error}; get the checkpoint again, or the "
            "version of dfsynth that it was made for"
        ) from error
    return CheckpointFiles(folder, card, weights, digest, scores)


def write_checkpoint(folder: Path, weights: bytes, card: str, scores: bytes | None = None) -> None:
    """Writes the files of a checkpoint into `folder`, which is made.

    Without `scores`, those of an earlier checkpoint in the folder are removed: they were learned
    from other weights.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Not safetensors' save_file: it makes files that nobody else on a shared machine may read.
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CARD).write_text(card, encoding="utf-8")
    if scores is None:
        (folder / SCORES).unlink(missing_ok=True)
    else:
        (folder / SCORES).write_bytes(scores)


def read_checkpoint_file(path: Path) -> bytes:
    """Reads one of a checkpoint's files.

    Raises:
        CheckpointError: it is not there or cannot be read.
    """
    try:
        # Before it is opened: to open a pipe is to wait for somebody to write.
        if path.exists() and not path.is_file():
            raise CheckpointError(f"cannot read {path}: expected a regular file")
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
