"""Which stage of a run is at what, and a watchdog that names the one that stands still."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, process_time
from typing import Final

STANDS_STILL_S: Final = 60.0
"""After so long without any stage ending a call, the watchdog speaks; then after twice as long."""
_POLL_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Standstill:
    """Nothing has ended for a while."""

    stage: str
    """The stage whose call has gone on for longest."""
    item: str
    """What that call is about."""
    seconds: float
    """Since any stage ended a call."""


class Activity:
    """The calls that the stages of a run are at; used from all threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._calls: dict[object, tuple[float, str, str]] = {}
        self._moved = monotonic()
        self.longest: dict[str, float] = {}
        """Of each stage that was seen standing still, for how many seconds at most."""
        self.busy: defaultdict[str, float] = defaultdict(float)
        """Of each stage, the seconds of all its calls that have ended, in all threads."""
        self.waited: defaultdict[str, float] = defaultdict(float)
        """Seconds that threads waited, by what for."""
        self.running_s = 0.0
        """Seconds in which the stages had work."""
        self.processor_s = 0.0
        """Seconds that this process computed meanwhile, in all threads."""

    @contextmanager
    def doing(self, stage: str, item: str) -> Iterator[None]:
        """While the body runs, `stage` is at `item`."""
        call, begun = object(), monotonic()
        with self._mutex:
            if not self._calls:
                # There was nothing to do before: nobody stood still.
                self._moved = begun
            self._calls[call] = (begun, stage, item)
        try:
            yield
        finally:
            with self._mutex:
                del self._calls[call]
                self._moved = monotonic()
                self.busy[stage] += self._moved - begun

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """While the body runs, its thread waits for `what`; that is no call of a stage."""
        begun = monotonic()
        try:
            yield
        finally:
            with self._mutex:
                self.waited[what] += monotonic() - begun

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the body runs, the stages have work; for one thread at a time."""
        begun, computed = monotonic(), process_time()
        try:
            yield
        finally:
            self.running_s += monotonic() - begun
            self.processor_s += process_time() - computed

    def standstill(self, limit_s: float) -> Standstill | None:
        """The call that nothing has overtaken for `limit_s` seconds; None where something moved."""
        with self._mutex:
            still_s = monotonic() - self._moved
            if not self._calls or still_s < limit_s:
                return None
            _, stage, item = min(self._calls.values())
            self.longest[stage] = max(self.longest.get(stage, 0.0), still_s)
            return Standstill(stage, item, still_s)


@contextmanager
def watchdog(
    activity: Activity, tell: Callable[[str], None], limit_s: float = STANDS_STILL_S
) -> Iterator[None]:
    """While the body runs, a line to `tell`, from a thread, whenever nothing moves for long."""
    ended = threading.Event()

    def watch() -> None:
        wait_s = limit_s
        while not ended.wait(min(limit_s, _POLL_S)):
            found = activity.standstill(wait_s)
            if found is not None:
                tell(
                    f"nothing has moved for {found.seconds:.0f} s: the stage {found.stage} stands "
                    f"still at {found.item!r}"
                )
                wait_s = 2 * found.seconds
            elif activity.standstill(limit_s) is None:
                wait_s = limit_s

    thread = threading.Thread(target=watch, name="watchdog", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
