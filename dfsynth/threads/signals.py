"""SIGINT and SIGTERM are put off to the end of what must not be left half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class PendingSignals:
    """The signals that have arrived and still wait for their effect."""

    def __init__(self) -> None:
        self.arrived: list[int] = []

    @property
    def first(self) -> int:
        """The first one; 0 where none has arrived."""
        return self.arrived[0] if self.arrived else 0

    def take(self, received: int) -> None:
        """Counts a signal that came to another process as arrived; 0 is none."""
        if received and not self.arrived:
            self.arrived.append(received)


@contextmanager
def signals_put_off(at_most_one: bool = True) -> Iterator[PendingSignals]:
    """Collects signals while its body runs; afterwards they are raised anew, in their order.

    A second one does at once what it did before, but not without `at_most_one`: such a body has to
    be short. Outside the main thread nothing is put off.
    """
    pending = PendingSignals()
    if threading.current_thread() is not threading.main_thread():
        yield pending
        return
    before = {each: signal.getsignal(each) for each in _SIGNALS}

    def collect(received: int, _frame: FrameType | None) -> None:
        pending.arrived.append(received)
        if at_most_one:
            restore()

    def restore() -> None:
        for each, handler in before.items():
            # Another one stands there since a second signal ended what runs: it stays.
            if signal.getsignal(each) is collect:
                signal.signal(each, handler)

    for each in _SIGNALS:
        signal.signal(each, collect)
    try:
        yield pending
    finally:
        restore()
        # Also where the body failed: what catches that goes on, and would never hear of them.
        for received in pending.arrived:
            signal.raise_signal(received)
