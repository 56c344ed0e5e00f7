"""Threads of one process: how many, a pool that an exception leaves at once, waiting for them."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final, TypeVar

Result = TypeVar("Result")

_ASLEEP_S: Final = 0.5
"""Longest sleep on a lock; a signal may have to wait for its end."""


def result_of(future: "Future[Result]") -> Result:
    """What a call in a thread gave, or its exception raised here; signals are heard meanwhile.

    `Future.result` sleeps on a lock. A signal that arrives in the instant before it falls asleep,
    or that another thread receives, is handled only when it wakes: never, where the thread that
    it waits for stands still.
    """
    while not future.done():
        wait([future], _ASLEEP_S)
    return future.result()


def available_cores() -> int:
    """Cores that this process may use, which in a job queue are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


@contextmanager
def thread_pool(name: str, count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool that, left by an exception, drops what has not started."""
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
