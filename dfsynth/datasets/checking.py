"""All that is wrong with pairs, found before training."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.counted_nouns import counted
from dfsynth.datasets.file_pairs import FilePairs
from dfsynth.datasets.file_values import PairValues, judge_values
from dfsynth.datasets.protocol import PairSource
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.datasets.unpaired import UnpairedImages
from dfsynth.errors import UsageError
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

SAMPLE: Final = 32
"""Pairs of a store that are read; the others have passed the checks of the store's writer."""
_NAMED_FAULTS: Final = 3
_LINE_EVERY_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is kept of one pair."""

    content: bytes = b""
    """Equal for equal inputs."""
    values: PairValues | None = None
    """Of files."""
    fault: str | None = None
    """Why it cannot be used."""


def check_pairs(source: PairSource, message: Callable[[str], None] | None = None) -> None:
    """Reads all pairs once, of a store a sample, and requires that they can be trained on.

    `message` is called with how far it has come, once in five seconds, and with a warning for
    values of files that the task may not mean.

    Raises:
        UsageError: pairs that cannot be read, files in different splits that hold one and the same
            input, or values that the task cannot mean; the message names them.
        StoreError: a damaged store.
    """
    indices = _indices(source)
    simulated = isinstance(source, StorePairs)
    noun = "image" if isinstance(source, UnpairedImages) else "pair"

    def check(index: int) -> _Checked:
        try:
            if isinstance(source, FilePairs):
                pair, held = source.examine(index)
            else:
                # Whoever wrote a store knew its task.
                pair, held = source.read(index), None
        except UsageError as error:
            return _Checked(fault=str(error))
        return _Checked(hashlib.blake2b(pair.image.tobytes(), digest_size=16).digest(), held)

    workers, reported_at = available_cores(), time.monotonic()
    faults: list[str] = []
    owner: dict[bytes, int] = {}
    values: dict[str, PairValues] = {}
    with thread_pool("check", workers) as pool:
        found = Prefetch(pool, check, indices, 2 * workers)
        for done, (index, pair) in enumerate(found, 1):
            if pair.fault is not None:
                faults.append(pair.fault)
            elif not simulated:
                _require_one_group(source, owner.setdefault(pair.content, index), index)
            if pair.values is not None:
                values[source.rows[index].key] = pair.values
            if message is not None and time.monotonic() - reported_at > _LINE_EVERY_S:
                message(f"{done} of {counted(len(indices), noun)} checked")
                reported_at = time.monotonic()
    if faults:
        more = f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else ""
        raise UsageError(
            f"{len(faults)} of {counted(len(indices), noun)} cannot be used: "
            f"{'; '.join(faults[:_NAMED_FAULTS])}{more}"
        )
    if isinstance(source, FilePairs):
        for warning in judge_values(source.task, source.window, values):
            if message is not None:
                message(f"warning: {warning}")


def _indices(source: PairSource) -> list[int]:
    count = len(source.rows)
    if isinstance(source, StorePairs) and count > SAMPLE:
        return [int(index) for index in np.linspace(0, count - 1, SAMPLE)]
    return list(range(count))


def _require_one_group(source: PairSource, one: int, other: int) -> None:
    first, second = source.rows[one], source.rows[other]
    if first.split != second.split:
        raise UsageError(
            f"pairs {first.key!r} ({first.split}) and {second.key!r} ({second.split}) have the "
            "same input; expected no image in two splits; give both the same patient_id"
        )
