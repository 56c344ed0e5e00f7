"""A run's folder: what it is of, the state from which it goes on, and its best checkpoint.

RUN/run.json        recipe, data and versions: the folder is a run of these
RUN/last/           state.json names the safetensors file that is whole
RUN/best/           a checkpoint
RUN/metrics.jsonl, RUN/panels/, RUN/tensorboard/
RUN/tmp/            what is being written
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dfsynth.checkpoint import ModelCard
from dfsynth.errors import ConflictError, DfsynthError, UsageError
from dfsynth.files.durable import (
    make_folder,
    remove_durably,
    remove_entry,
    sweep,
    sync_folder,
    write_durably,
)
from dfsynth.files.faults import store_faults
from dfsynth.files.json_record import parse_object
from dfsynth.inference import save_checkpoint
from dfsynth.models import GeneratorNetwork
from dfsynth.train import stored_keys
from dfsynth.train.early_stopping import BestSoFar

_OWNER: Final = "run"
_RUN, _STATE = "run.json", "state.json"
_OURS: Final = frozenset({"tmp", "lock"})
"""What a run that was killed at its very start leaves."""
_MOST_DIFFERENCES: Final = 4
"""From another run, in a message."""


class RunFolder:
    """Everything that a run keeps on disk; each file appears whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Names the files in `path`; nothing is read or made."""
        self.path = path
        self.best = path / "best"
        self.metrics = path / "metrics.jsonl"
        self.panels = path / "panels"
        self.tensorboard = path / "tensorboard"
        self._last = path / "last"
        self._scratch = path / "tmp"

    def check(self, wanted: Mapping[str, Any]) -> bool:
        """Whether the folder already holds this run; False for an empty or missing one.

        `wanted` is the identity of the run: recipe, data and initial checkpoint.

        Raises:
            ConflictError: it holds another run, whose differences are named, or something else.
            DfsynthError: its `run.json` is damaged.
        """
        file = self.path / _RUN
        if self.path.exists() and not self.path.is_dir():
            raise ConflictError(f"{self.path} is no folder; choose another --out")
        if not file.exists():
            if self.path.exists() and any(e.name not in _OURS for e in self.path.iterdir()):
                raise ConflictError(
                    f"{self.path} is not empty and holds no run; choose another --out"
                )
            return False
        try:
            held = parse_object(file.read_bytes())["identity"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise DfsynthError(
                f"{file} is damaged, so that it cannot be known what was trained here; choose "
                "another --out"
            ) from error
        differences = _differences(held, json.loads(json.dumps(wanted)), "")
        if len(differences) > _MOST_DIFFERENCES:
            differences[_MOST_DIFFERENCES:] = [f"and {len(differences) - _MOST_DIFFERENCES} more"]
        if differences:
            raise ConflictError(
                f"{self.path} is a run of another recipe or other data: {'; '.join(differences)}; "
                "choose another --out"
            )
        return True

    def create(self, identity: Mapping[str, Any], versions: Mapping[str, str]) -> None:
        """Makes the folder a run of this identity, started with these versions of software.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        for folder in (self._scratch, self._last, self.panels):
            make_folder(folder)
        text = json.dumps({"identity": identity, "versions": versions}, indent=2)
        write_durably(self.path / _RUN, text.encode(), self._scratch, _OWNER)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps the folder for this process; what a killed one left half-written is removed.

        Raises:
            UsageError: another process trains here.
            StoreError: the disk is full, or refuses.
        """
        make_folder(self._scratch)
        with store_faults(f"lock {self.path}"), (self.path / "lock").open("ab") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another process trains in {self.path}; wait for it, or choose another --out"
                ) from None
            self._recover_best()
            sweep(self._scratch)
            yield

    def save(self, state: Mapping[str, Tensor], best: BestSoFar, step: int) -> None:
        """Keeps the state after `step` steps: tensors of any shape by name.

        The state before it is removed once this one is whole.

        Raises:
            StoreError: the disk is full, or refuses; the state before it stays.
        """
        name = f"state-{step:08d}.safetensors"
        encoded = save(dict(state))
        write_durably(self._last / name, encoded, self._scratch, _OWNER)
        found = {
            stored_keys.BEST_SCORE: best.score,
            stored_keys.VALIDATIONS_SINCE: best.validations_since,
        }
        held = {"file": name, "sha256": _sum_of(encoded), stored_keys.BEST_SO_FAR: found}
        text = json.dumps(held)
        write_durably(self._last / _STATE, text.encode(), self._scratch, _OWNER)
        remove_durably(p for p in self._last.glob("*.safetensors") if p.name != name)

    def restore(self) -> tuple[dict[str, Tensor], BestSoFar] | None:
        """Reads the kept state, tensors in their shapes, or gives None where there is none yet.

        Raises:
            DfsynthError: it is damaged.
        """
        file = self._last / _STATE
        if not file.exists():
            return None
        try:
            held = parse_object(file.read_bytes())
            encoded = (self._last / held["file"]).read_bytes()
            # Runs that were started before there was a sum go on without one.
            if held.get("sha256", _sum_of(encoded)) != _sum_of(encoded):
                raise ValueError("the tensors are not those that were written")
            tensors = load(encoded)
            best = held[stored_keys.BEST_SO_FAR]
            return tensors, BestSoFar(
                best[stored_keys.BEST_SCORE], best[stored_keys.VALIDATIONS_SINCE]
            )
        except (OSError, ValueError, LookupError, TypeError, SafetensorError) as error:
            raise self.damaged() from error

    def damaged(self) -> DfsynthError:
        """The error for a kept state that cannot be gone on with."""
        return DfsynthError(
            f"the state in {self._last} is damaged; remove that folder to start the run anew"
        )

    def keep_best(self, network: GeneratorNetwork, card: ModelCard) -> None:
        """Makes a network the run's checkpoint, in place of the one before it.

        Raises:
            StoreError: the disk is full, or refuses.
            ValueError: a weight does not fit float16.
        """
        fresh, old = self._scratch / "best-new", self._scratch / "best-old"
        with store_faults(f"write {self.best}"):
            for left in (fresh, old):
                remove_entry(left)
            save_checkpoint(fresh, network, card)
            for file in fresh.iterdir():
                descriptor = os.open(file, os.O_RDONLY)
                os.fsync(descriptor)
                os.close(descriptor)
            if self.best.exists():
                self.best.rename(old)
            fresh.rename(self.best)
            sync_folder(self.path)
            remove_entry(old)

    def _recover_best(self) -> None:
        """A kill between two renames leaves the old checkpoint among the scratch."""
        fresh, old = self._scratch / "best-new", self._scratch / "best-old"
        if old.is_dir() and not self.best.exists():
            old.rename(self.best)
        for left in (fresh, old):
            remove_entry(left)


def _sum_of(encoded: bytes) -> str:
    return hashlib.sha256(encoded).hexdigest()


def _differences(held: Any, wanted: Any, where: str) -> list[str]:
    """One sentence part for each value that differs, named by its dotted key; tables of a list by
    their number, from 0."""
    if isinstance(held, dict) and isinstance(wanted, dict):
        found = []
        for key in dict.fromkeys([*held, *wanted]):
            dotted = f"{where}.{key}" if where else key
            found += _differences(held.get(key), wanted.get(key), dotted)
        return found
    if _are_tables(held) and _are_tables(wanted) and len(held) == len(wanted):
        # Such as phases: what differs within them, and not all of them.
        return [
            text
            for place, (old, new) in enumerate(zip(held, wanted, strict=True))
            for text in _differences(old, new, f"{where}[{place}]")
        ]
    if held == wanted:
        return []
    return [f"{where} was {json.dumps(held)}, asked for {json.dumps(wanted)}"]


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
