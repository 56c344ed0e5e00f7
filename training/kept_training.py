"""One training that is done once, whoever asks for it, and what its checkpoint takes in time."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from kept_runs import KeptRuns, identity_of

from dfsynth.datasets import PairSource
from dfsynth.datasets.reader import BUDGET_BYTES
from dfsynth.files.durable import remove_entry
from dfsynth.inference import MapGenerator
from dfsynth.progress import SilentTraining
from dfsynth.train import TrainReport, train_prepared
from dfsynth.train.preparation import PreparedTraining


class NotYetError(Exception):
    """Something waits for a training that another process is at."""


def trained_once(kept: KeptRuns, name: str, prepared: PreparedTraining) -> Mapping[str, Any]:
    """What a training came to; trained where it is not there yet.

    Raises:
        NotYetError: another process is at it.
        ConflictError: what is kept is of another recipe or other pairs.
    """
    identity = identity_of(prepared)
    held = kept.read(name, identity)
    if held is not None:
        return held
    with kept.claimed(name) as ours:
        if not ours:
            raise NotYetError
        held = kept.read(name, identity)
        if held is None:
            report, seconds = _trained(prepared, kept.folder(name))
            held = {
                "identity": identity,
                "score": report.best_score,
                "seconds": seconds,
                "bad_steps": report.bad_steps,
                "name": name,
            }
            kept.write(name, held)
        kept.reduce(name)
    return held


def _trained(prepared: PreparedTraining, folder: Path) -> tuple[TrainReport, float]:
    """Trains what is left of a run; and how long all of it takes, in s."""
    started = seconds_of(prepared.device)
    report = train_prepared(prepared, folder, SilentTraining(), BUDGET_BYTES)
    if not report.steps_now:
        # Killed after its last step: what that took is not known, and the same comes of it again.
        remove_entry(folder)
        return _trained(prepared, folder)
    # Of a training that was killed, this call's share stands for the whole.
    seconds = (seconds_of(prepared.device) - started) * report.steps / report.steps_now
    return report, seconds


def generating_seconds(
    generator: MapGenerator, source: PairSource, indices: Sequence[int], device: torch.device
) -> float:
    """Time an image, with all its samples, in s; see `seconds_of`."""
    pairs = [source.read(index) for index in indices]
    images = np.stack([pair.image for pair in pairs])
    keys, contents = [source.rows[i].key for i in indices], [pair.content for pair in pairs]
    generator.stages(images[:1], keys[:1], contents[:1])
    started = seconds_of(device)
    generator.stages(images, keys, contents)
    return (seconds_of(device) - started) / len(pairs)


def seconds_of(device: torch.device) -> float:
    """A clock: of this process's work on a shared CPU, and of the wall beside a GPU."""
    return time.monotonic() if device.type == "cuda" else time.process_time()
