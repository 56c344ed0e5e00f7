"""All that is wrong with pairs, found before training."""

import hashlib
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from dfsynth.datasets.protocol import PairSource
from dfsynth.datasets.store_pairs import StorePairs
from dfsynth.errors import UsageError
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

SAMPLE: Final = 32
"""Pairs of a store that are read; the others have passed the checks of the store's writer."""
_NAMED_FAULTS: Final = 3
_LINE_EVERY_S: Final = 5.0


def check_pairs(source: PairSource, message: Callable[[str], None] | None = None) -> None:
    """Reads all pairs once, of a store a sample, and requires that they can be trained on.

    `message` is called with how far it has come, once in five seconds.

    Raises:
        UsageError: pairs that cannot be read, or files in different splits that hold one and the
            same input; the message names them.
        StoreError: a damaged store.
    """
    indices = _indices(source)
    simulated = isinstance(source, StorePairs)

    def check(index: int) -> tuple[bytes, str | None]:
        try:
            image = source.read(index).image
        except UsageError as error:
            return b"", str(error)
        return hashlib.blake2b(image.tobytes(), digest_size=16).digest(), None

    workers, reported_at = available_cores(), time.monotonic()
    faults: list[str] = []
    owner: dict[bytes, int] = {}
    with thread_pool("check", workers) as pool:
        found = Prefetch(pool, check, indices, 2 * workers)
        for done, (index, (content, fault)) in enumerate(found, 1):
            if fault is not None:
                faults.append(fault)
            elif not simulated:
                _require_one_group(source, owner.setdefault(content, index), index)
            if message is not None and time.monotonic() - reported_at > _LINE_EVERY_S:
                message(f"{done} of {len(indices)} pairs checked")
                reported_at = time.monotonic()
    if faults:
        more = f"; and {len(faults) - _NAMED_FAULTS} more" if len(faults) > _NAMED_FAULTS else ""
        raise UsageError(
            f"{len(faults)} of {len(indices)} pairs cannot be used: "
            f"{'; '.join(faults[:_NAMED_FAULTS])}{more}"
        )


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
