"""Inputs prepared ahead of the generator, in order, a bounded number at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    ) -> None:
        self._executor = executor
        self._work = work
        self._items = iter(items)
        self._ahead = ahead
        self._waiting: deque[tuple[Item, Future[Result]]] = deque()

    def __iter__(self) -> Iterator[tuple[Item, Result]]:
        """Pairs of item and result; what `work` raises is raised here, in its turn."""
        self._fill()
        while self._waiting:
            item, future = self._waiting.popleft()
            result = future.result()
            self._fill()
            yield item, result

    def _fill(self) -> None:
        while len(self._waiting) < self._ahead:
            try:
                item = next(self._items)
            except StopIteration:
                return
            self._waiting.append((item, self._executor.submit(self._work, item)))
