"""Results of trainings, each whole or not there, made by any number of processes together.

OUT/runs/NAME           the folder of a training
OUT/results/NAME.json   what it came to; its existence says that it is done
OUT/claims/NAME         locked by the process that is at it
OUT/tmp                 what is being written
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dfsynth.errors import ConflictError
from dfsynth.files.durable import make_folder, remove_entry, write_durably
from dfsynth.files.json_record import encode_json, parse_object
from dfsynth.train.preparation import PreparedTraining


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """A folder of trainings and their results."""

    out: Path

    @classmethod
    def open(cls, out: Path) -> Self:
        """Makes the folder where it is not there yet."""
        for folder in ("runs", "results", "claims", "tmp"):
            make_folder(out / folder)
        return cls(out)

    def folder(self, name: str) -> Path:
        """Where a training works."""
        return self.out / "runs" / name

    def read(self, name: str, identity: str | None = None) -> Mapping[str, Any] | None:
        """A kept result; None where there is none yet.

        Raises:
            ConflictError: it is of another `identity`.
        """
        path = self._result(name)
        if not path.exists():
            return None
        held: Mapping[str, Any] = parse_object(path.read_bytes())
        if identity is not None and held["identity"] != identity:
            raise ConflictError(
                f"{path} is of another recipe or other pairs; choose another --out, or remove it"
            )
        return held

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Keeps a result durably."""
        write_durably(self._result(name), encode_json(document), self.out / "tmp", name)

    @contextmanager
    def claimed(self, name: str) -> Iterator[bool]:
        """Whether this process alone is at a training, for as long as the context lasts."""
        with (self.out / "claims" / name).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def make_once(self, name: str, identity: str, make: Callable[[], Mapping[str, Any]]) -> bool:
        """Keeps what `make` gives, if nothing is kept yet; False: another process is at it.

        Raises:
            ConflictError: what is kept is of another `identity`.
        """
        with self.claimed(name) as ours:
            if ours and self.read(name, identity) is None:
                self.write(name, {"identity": identity, **make()})
        return ours

    def reduce(self, name: str) -> None:
        """Leaves of a training that is done its checkpoint and losses."""
        for left in ("last", "panels", "tensorboard", "tmp"):
            remove_entry(self.folder(name) / left)

    def _result(self, name: str) -> Path:
        return self.out / "results" / f"{name}.json"


def identity_of(prepared: PreparedTraining) -> str:
    """Hexadecimal; equal for an equal recipe and equal pairs."""
    text = json.dumps(prepared.identity(), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
