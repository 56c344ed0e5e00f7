"""Batches in an order that the seed and the step alone decide, read ahead in threads."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import fields
from typing import Final, Self

import numpy as np

from dfsynth.counted_nouns import counted
from dfsynth.datasets.batch import PairBatch, collate
from dfsynth.datasets.protocol import PairImages, PairSource
from dfsynth.errors import UsageError
from dfsynth.threads.pool import ThreadPool, available_cores, result_of

BUDGET_BYTES: Final = 2 * 1024**3
"""Memory for pairs that are kept after they were read. [assumed]"""
_STEPS_AHEAD: Final = 2


class BatchReader:
    """Gives the batch of any step; it has no state that a resumed training would need.

    Every pass over the pairs has an order of its own, and the passes follow each other without a
    gap: a batch may end one and begin the next, so that no pair is left out.
    """

    def __init__(
        self,
        source: PairSource,
        indices: Sequence[int],
        batch: int,
        seed: int,
        budget_bytes: int = BUDGET_BYTES,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """`indices` are rows of the source; `batch` is that of all `world_size` processes together.

        Raises:
            UsageError: no pair, or a batch that the processes cannot share evenly.
        """
        if not indices:
            raise UsageError("found no pair to make batches of; expected at least one")
        if batch < 1 or batch % world_size:
            raise UsageError(
                f"a batch of {batch} cannot be shared by "
                f"{counted(world_size, 'process', 'processes')}; expected a multiple of their "
                "number; change batch, or the number of processes"
            )
        self._source = source
        self._indices = tuple(indices)
        self._batch = batch
        self._seed = seed
        self._share = batch // world_size
        self._first = rank * self._share
        self._memory = _Memory(budget_bytes)
        self._pool = ThreadPool(available_cores(), thread_name_prefix="pairs")
        self._waiting: dict[int, list[Future[PairImages]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the threads; what they have not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def indices(self, step: int) -> tuple[int, ...]:
        """The pairs of this process in the batch of `step`, a pure function of seed and step."""
        start = step * self._batch + self._first
        positions = range(start, start + self._share)
        orders = {p // len(self._indices): np.zeros(0, np.int64) for p in positions}
        for epoch in orders:
            orders[epoch] = np.random.default_rng([self._seed, epoch]).permutation(
                len(self._indices)
            )
        return tuple(
            self._indices[orders[p // len(self._indices)][p % len(self._indices)]]
            for p in positions
        )

    def batch(self, step: int) -> PairBatch:
        """This process's part of the batch of `step`, from 0, on the CPU; called by one thread.

        Maps are (n, 1, H, W). The parts of all processes, in the order of their ranks, are the
        batch of one process.

        Raises:
            UsageError, StoreError: a pair cannot be read.
        """
        wanted = range(step, step + 1 + _STEPS_AHEAD)
        for other in self._waiting.keys() - set(wanted):
            for future in self._waiting.pop(other):
                future.cancel()
        for each in wanted:
            if each not in self._waiting:
                indices = self.indices(each)
                self._waiting[each] = [self._pool.submit(self._read, i) for i in indices]
        pairs = [result_of(future) for future in self._waiting.pop(step)]
        return collate(pairs, self._first)

    def _read(self, index: int) -> PairImages:
        kept = self._memory.get(index)
        if kept is None:
            kept = self._source.read(index)
            self._memory.offer(index, kept)
        return kept


class _Memory:
    """Keeps pairs until its budget is used up, and those for good.

    Each pass has another order, in which throwing out the oldest would keep nothing in time.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._left = budget_bytes
        self._kept: dict[int, PairImages] = {}
        self._lock = threading.Lock()

    def get(self, index: int) -> PairImages | None:
        return self._kept.get(index)

    def offer(self, index: int, pair: PairImages) -> None:
        maps = (getattr(pair, field.name) for field in fields(pair))
        size_bytes = sum(m.nbytes for m in maps if isinstance(m, np.ndarray))
        with self._lock:
            if index not in self._kept and size_bytes <= self._left:
                self._left -= size_bytes
                self._kept[index] = pair
