"""Threads of one process: how many, and a pool that an exception leaves at once."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


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
