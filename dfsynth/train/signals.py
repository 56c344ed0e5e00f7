"""SIGINT and SIGTERM put off to the end of a step, so that what was learned can be kept first."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PendingSignals:
    """What has arrived."""

    def __init__(self) -> None:
        self.arrived: list[int] = []

    @property
    def first(self) -> int:
        """Its number; 0 where none has arrived."""
        return self.arrived[0] if self.arrived else 0

    def take(self, number: int) -> None:
        """Counts a signal as arrived that came to another process; 0 is none."""
        if number and not self.arrived:
            self.arrived.append(number)


@contextmanager
def signals_put_off() -> Iterator[PendingSignals]:
    """Collects signals in the body; afterwards the first one is raised anew.

    A second one does at once what it did before. Outside the main thread nothing is put off.
    """
    pending = PendingSignals()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def collect(number: int, _frame: FrameType | None) -> None:
        pending.arrived.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in _SIGNALS:
        signal.signal(number, collect)
    try:
        yield pending
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if pending.first:
        signal.raise_signal(pending.first)
