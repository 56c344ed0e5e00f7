"""Batches side by side on a CPU, each in a thread of its own, in place of one in all threads.

Threads that share one small batch wait for each other behind every operation, and where something
else takes one core the others stand still, spinning: beside other programs two threads took many
times the processor time of one (benchmarks/README.md). Nor do the last bits of
what one thread computes depend on how many cores a machine has (docs/decisions/0033).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

_OWN_THREAD_PIXELS: Final = 512**2
"""A larger grid is work enough for all threads: they lose 3 % of 1024², where another batch would
take another 400 MB."""
_MOST_AT_ONCE: Final = 16
"""Each batch takes some 100 MB."""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """How a device is kept busy."""

    batches: int
    """That are computed at once."""
    threads: int
    """Of torch, for each of them."""


def side_by_side(device: torch.device, grid: tuple[int, int]) -> SideBySide:
    """How batches of a grid (height, width) share the threads that torch may use here."""
    threads = torch.get_num_threads()
    if device.type != "cpu" or grid[0] * grid[1] > _OWN_THREAD_PIXELS:
        return SideBySide(1, threads)
    batches = min(threads, _MOST_AT_ONCE)
    return SideBySide(batches, threads // batches)


class _Limit:
    """What torch is told of the calling thread, of which a part holds for threads to come."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._inside = 0
        self._usual = 0

    def enter(self, count: int) -> int:
        """Sets the number; gives the one to go back to."""
        with self._mutex:
            own = torch.get_num_threads()
            if not self._inside:
                self._usual = own
            elif own == count:
                # A thread that is new to torch takes what was set last, in whichever thread.
                own = self._usual
            self._inside += 1
            torch.set_num_threads(count)
            return own

    def leave(self, own: int) -> None:
        """Sets it back."""
        with self._mutex:
            self._inside -= 1
            torch.set_num_threads(own)


_LIMIT: Final = _Limit()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """While the body runs, torch computes for the calling thread in `count`; others keep theirs."""
    own = _LIMIT.enter(count)
    try:
        yield
    finally:
        _LIMIT.leave(own)
