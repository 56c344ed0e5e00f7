"""Inputs prepared ahead of the generator, in order, a bounded number at a time."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Final, Generic, TypeVar

from dfsynth.threads.activity import Activity
from dfsynth.threads.pool import result_of
from dfsynth.threads.signals import signals_put_off

Item = TypeVar("Item")
Result = TypeVar("Result")

INPUTS: Final = "inputs"
"""What whoever takes the results waits for, as `Activity` has it."""


class Prefetch(Generic[Item, Result]):
    """Runs `work` on items in an executor and hands the results out in the items' order.

    At most `ahead` items are in flight, so that memory does not grow with the corpus. Items are
    drawn from their iterable only when there is room: an iterable that claims shards as it goes
    claims none before it is needed.
    """

    def __init__(
        self,
        executor: Executor,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        ahead: int,
        activity: Activity | None = None,
    ) -> None:
        """Draws nothing yet.

        Args:
            executor: Runs the work.
            work: What is done with an item.
            items: What there is to do, in order.
            ahead: Most items in flight.
            activity: Where the wait for results is counted, if anywhere.
        """
        self._executor = executor
        self._work = work
        self._items = iter(items)
        self._ahead = ahead
        self._activity = activity or Activity()
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()
        self._mutex = threading.Lock()
        self._finished = self._taken = self._found_ready = 0

    @property
    def room(self) -> int:
        """Most items in flight."""
        return self._ahead

    @property
    def mean_ready(self) -> float:
        """Finished results that lay there when one was taken, 0 to `room`, in the mean so far."""
        return self._found_ready / max(self._taken, 1)

    def __iter__(self) -> Iterator[tuple[Item, Result]]:
        """Pairs of item and result; what `work` raises is raised here, in its turn."""
        self._fill()
        while self._waiting:
            self._found_ready += max(self._finished - self._taken, 0)
            self._taken += 1
            item, future = self._waiting.popleft()
            with self._activity.waiting(INPUTS):
                result = result_of(future)
            self._fill()
            yield item, result

    def _fill(self) -> None:
        while len(self._waiting) < self._ahead:
            try:
                item = next(self._items)
            except StopIteration:
                return
            with signals_put_off(at_most_one=False):
                future = self._executor.submit(self._work, item)
                future.add_done_callback(self._count)
            self._waiting.append((item, future))

    def _count(self, _: Future[Result]) -> None:
        # To ask all that wait whenever one is taken would cost as many locks.
        with self._mutex:
            self._finished += 1
