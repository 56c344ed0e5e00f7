"""Threads of one process: how many, a pool that an exception leaves at once, waiting for them."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

from dfsynth.threads.signals import signals_put_off

Given = ParamSpec("Given")
Result = TypeVar("Result")

_ASLEEP_S: Final = 0.5
"""Longest sleep on a lock; a signal may have to wait for its end."""


class ThreadPool(ThreadPoolExecutor):
    """A pool that a signal leaves whole, whatever its handler raises.

    The standard library takes its locks in Python: an exception between the taking of one and the
    block that gives it back leaves it taken for ever, or replaces the exception by one of the lock.
    """

    def submit(
        self, fn: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> "Future[Result]":
        """See `concurrent.futures.Executor`."""
        with signals_put_off(at_most_one=False):
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `concurrent.futures.Executor`."""
        with signals_put_off(at_most_one=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
        if wait:
            super().shutdown(wait=True)


def result_of(future: "Future[Result]") -> Result:
    """What a call in a thread gave, or its exception raised here; signals are heard meanwhile.

    `Future.result` sleeps on a lock. A signal that arrives in the instant before it falls asleep,
    or that another thread receives, is handled only when it wakes: never, where the thread that
    it waits for stands still.
    """
    while True:
        with signals_put_off(at_most_one=False):
            if future.done() or wait([future], _ASLEEP_S).done:
                return future.result()


def is_done(future: "Future[Result]") -> bool:
    """Whether a call in a thread has ended."""
    with signals_put_off(at_most_one=False):
        return future.done()


def available_cores() -> int:
    """Cores that this process may use, which in a job queue are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


@contextmanager
def thread_pool(name: str, count: int) -> Iterator[ThreadPool]:
    """A pool that, left by an exception, drops what has not started."""
    pool = ThreadPool(count, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
