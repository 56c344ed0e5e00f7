"""Measures many draws at the same time, one from each seed."""

from collections.abc import Callable
from typing import TypeVar

import torch

from dfsynth.errors import UsageError
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

Measured = TypeVar("Measured")


def measure_seeds(
    measure: Callable[[int], Measured],
    count: int,
    seed: int,
    advance: Callable[[], None],
    fewest: int,
    what: str,
) -> list[Measured]:
    """What `measure` finds of the seeds `seed`, `seed` + 1, …, `count` of them, in this order.

    Args:
        measure: measures the draw of one seed; called by several threads at once.
        count: how many.
        seed: the first, 0 or more.
        advance: called after each.
        fewest: how many an interval needs.
        what: is measured, in the plural, for the message.

    Raises:
        UsageError: too few for an interval, or a seed below 0.
    """
    if count < fewest:
        raise UsageError(f"--n {count}: expected at least {fewest} {what} to validate on")
    if seed < 0:
        raise UsageError(f"--seed {seed}: expected 0 or more")
    torch.set_num_threads(1)
    measured = []
    with thread_pool("seeds", available_cores()) as pool:
        for _, one in Prefetch(pool, measure, range(seed, seed + count), count):
            measured.append(one)
            advance()
    return measured
