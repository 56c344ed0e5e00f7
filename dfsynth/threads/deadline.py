"""Threads that give up on a call after a time: a dead read holds one thread, not the run.

Python cannot end a thread. One whose call is late is left alone, another takes its place, and what
the call gives in the end is dropped.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from dfsynth.errors import DfsynthError
from dfsynth.threads.signals import signals_put_off

_POLL_S: Final = 0.2
"""How long a late call may be late before anybody looks."""


@dataclass(slots=True, eq=False)
class _Task:
    future: "Future[Any]"
    call: Callable[..., Any]
    arguments: tuple[Any, ...]
    started: float = 0.0
    late: bool = False


@dataclass(slots=True)
class _State:
    """What the threads of a pool share, under its condition."""

    waiting: deque[_Task] = field(default_factory=deque)
    running: set[_Task] = field(default_factory=set)
    workers: int = 0
    """Threads that take calls; none that is left alone."""
    stuck: int = 0
    """Threads that are left alone and have not come back."""
    closed: bool = False


class DeadlinePool(Executor):
    """As many threads as asked for, each of which is replaced when its call takes too long."""

    def __init__(
        self, name: str, count: int, timeout_s: float, late: Callable[[tuple[Any, ...], int], Any]
    ) -> None:
        """Starts the threads.

        Args:
            name: Of the threads.
            count: Calls at one time.
            timeout_s: Seconds that a call may take once it has begun.
            late: Gives what takes the place of a late call's result, from the arguments of the call
                and the number of calls that stand still by now; or raises a DfsynthError.
        """
        self._name = name
        self._timeout_s = timeout_s
        self._late = late
        self._changed = threading.Condition()
        self._state = _State()
        for _ in range(count):
            self._start(self._work)
            self._state.workers += 1
        self._start(self._watch)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """See `concurrent.futures.Executor`; takes no keyword arguments.

        Raises:
            RuntimeError: the pool is shut down.
            TypeError: keyword arguments are given.
        """
        if kwargs:
            raise TypeError(f"expected no keyword arguments, found {', '.join(kwargs)}")
        task = _Task(Future(), fn, args)
        with signals_put_off(at_most_one=False), self._changed:
            if self._state.closed:
                raise RuntimeError("the pool is shut down")
            self._state.waiting.append(task)
            self._changed.notify_all()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `concurrent.futures.Executor`; calls that are late are not waited for."""
        with self._changed:
            self._state.closed = True
            if cancel_futures:
                while self._state.waiting:
                    self._state.waiting.popleft().future.cancel()
            self._changed.notify_all()
            if wait:
                self._changed.wait_for(lambda: self._state.workers == 0)

    def _start(self, target: Callable[[], None]) -> None:
        # Not waited for when the program ends: one that stands still would hold it for good.
        threading.Thread(target=target, name=self._name, daemon=True).start()

    def _work(self) -> None:
        while (task := self._next()) is not None:
            result, error = None, None
            try:
                result = task.call(*task.arguments)
            except BaseException as raised:  # noqa: BLE001 - whoever waits for it raises it
                error = raised
            with self._changed:
                if task.late:
                    self._state.stuck -= 1
                    return
                self._state.running.discard(task)
                if error is None:
                    task.future.set_result(result)
                else:
                    task.future.set_exception(error)

    def _next(self) -> _Task | None:
        """The next call, its time running from now; None where the pool is shut down."""
        state = self._state
        with self._changed:
            while True:
                self._changed.wait_for(lambda: state.waiting or state.closed)
                if not state.waiting:
                    state.workers -= 1
                    self._changed.notify_all()
                    return None
                task = state.waiting.popleft()
                if task.future.set_running_or_notify_cancel():
                    task.started = monotonic()
                    state.running.add(task)
                    return task

    def _watch(self) -> None:
        with self._changed:
            while not (self._state.closed and self._state.workers == 0):
                for task in list(self._state.running):
                    if monotonic() - task.started >= self._timeout_s:
                        self._give_up(task)
                self._changed.wait(min(self._timeout_s, _POLL_S))

    def _give_up(self, task: _Task) -> None:
        task.late = True
        self._state.running.discard(task)
        self._state.stuck += 1
        try:
            task.future.set_result(self._late(task.arguments, self._state.stuck))
        except DfsynthError as raised:
            task.future.set_exception(raised)
        self._start(self._work)


@contextmanager
def deadline_pool(
    name: str, count: int, timeout_s: float, late: Callable[[tuple[Any, ...], int], Any]
) -> Iterator[DeadlinePool]:
    """A `DeadlinePool` that drops what has not started when the context is left."""
    pool = DeadlinePool(name, count, timeout_s, late)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
