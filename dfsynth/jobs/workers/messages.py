"""What a worker says to whoever gives it shards, as lines of JSON.

Texts and numbers alone travel between them: no arrays, no objects that would have to be unpickled,
and nothing that two versions could read in two ways before they have compared themselves.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from dfsynth.errors import CheckpointError, ConflictError, DfsynthError, StoreError, UsageError
from dfsynth.files.object_path import ObjectPath
from dfsynth.options import BuildOptions


@dataclass(frozen=True, slots=True)
class Ready:
    """Source, checkpoint and store are open; the worker waits for shards."""

    kind: ClassVar = "ready"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the shard in hand went on their way to the disk; not yet committed."""

    kind: ClassVar = "rows"
    ok: int
    failed: int


@dataclass(frozen=True, slots=True)
class Done:
    """A shard was given back, with all rows told since: committed, or kept where the run stops."""

    kind: ClassVar = "done"
    shard: int


@dataclass(frozen=True, slots=True)
class Idle:
    """All shards that had been given are done, but for those that are left."""

    kind: ClassVar = "idle"
    left: Sequence[int]
    """Somebody else holds them, or they were committed before; or the run is to end."""
    stalls: Mapping[str, float]
    """Stages that stood still for long: for how many seconds at most."""


@dataclass(frozen=True, slots=True)
class Note:
    """One line for the user."""

    kind: ClassVar = "note"
    text: str


@dataclass(frozen=True, slots=True)
class Failed:
    """An error of the machine or of the command, which ends the run."""

    kind: ClassVar = "failed"
    error: str
    """The name of the exception."""
    text: str

    def to_error(self, worker: str) -> DfsynthError:
        """The exception as the worker raised it, its message beginning with the worker's name."""
        return _ERRORS.get(self.error, DfsynthError)(f"{worker}: {self.text}")


@dataclass(frozen=True, slots=True)
class Died:
    """The worker's process has ended without having been told to; never sent by a worker."""

    kind: ClassVar = "died"
    reason: str


Message: TypeAlias = Ready | Rows | Done | Idle | Note | Failed | Died

_MESSAGES: Final[Mapping[str, type[Message]]] = MappingProxyType(
    {"ready": Ready, "rows": Rows, "done": Done, "idle": Idle, "note": Note, "failed": Failed}
)
_ERRORS: Final[Mapping[str, type[DfsynthError]]] = MappingProxyType(
    {
        "UsageError": UsageError,
        "ConflictError": ConflictError,
        "CheckpointError": CheckpointError,
        "StoreError": StoreError,
    }
)


def encode_message(message: Message) -> str:
    """One line of JSON, without its end."""
    return json.dumps({"kind": message.kind, **asdict(message)})


def decode_message(line: str) -> Message:
    """The message of a line.

    Raises:
        KeyError, TypeError, ValueError: no worker of this version wrote it.
    """
    content = json.loads(line)
    return _MESSAGES[content.pop("kind")](**content)


def encode_options(options: BuildOptions) -> str:
    """Options as JSON, for a worker of the same version."""
    values = {field.name: getattr(options, field.name) for field in fields(options)}
    return json.dumps(values, default=_to_text)


def decode_options(text: str) -> BuildOptions:
    """What `encode_options` made a text of.

    Raises:
        UsageError: an option is out of its range.
        TypeError, ValueError: it was written by another version.
    """
    return BuildOptions.of(**json.loads(text))


def _to_text(value: Any) -> str:
    if isinstance(value, Path | ObjectPath):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not known to JSON")
