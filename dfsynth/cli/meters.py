"""Progress on stderr: a bar where somebody looks, else plain lines, with rate and time left.

The file of `--log` gets the plain lines too, whatever stderr gets.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from dfsynth.cli.formats import format_seconds
from dfsynth.cli.log_file import log_message
from dfsynth.cli.printable import printable
from dfsynth.cli.terminal import shows_bars
from dfsynth.progress import Progress as JobProgress
from dfsynth.progress import TrainProgress

_SHORTEST_GAP_S: Final = 10.0
_LONGEST_GAP_S: Final = 300.0
_LINES_OF_A_RUN: Final = 60


class Meter(Protocol):
    """Shows how far something has come."""

    def start(self, total: int, done: int) -> None:
        """Before the first of `total`, of which `done` were done before."""

    def update(self, done: int, note: str) -> None:
        """How many are done by now, and a few words beside."""

    def message(self, text: str) -> None:
        """One line that stays."""


class PlainMeter:
    """A line every so often and one at the end, for logs: the longer the run, the fewer of them.

    The gap is ten seconds at first, then a sixtieth of the time so far, five minutes at most.
    """

    def __init__(self, noun: str, say: Callable[[str], None]) -> None:
        self._noun = noun
        self.message = say
        self._total = self._first = 0
        self._started = self._last = time.monotonic()

    def start(self, total: int, done: int) -> None:
        """See `Meter`."""
        self._total, self._first = total, done
        self._started = self._last = time.monotonic()
        self.message(f"{total - done}{f' of {total}' if done else ''} {self._noun} to do")

    def update(self, done: int, note: str) -> None:
        """See `Meter`."""
        now = time.monotonic()
        if now - self._last < _gap_s(now - self._started) and done != self._total:
            return
        self._last = now
        rate = (done - self._first) / max(now - self._started, 1e-9)
        left = format_seconds((self._total - done) / rate) if rate > 0 else "unknown time"
        noun = self._noun
        self.message(f"{done}/{self._total} {noun}, {rate:.2f} {noun}/s, {left} left, {note}")


class BarMeter:
    """A live bar."""

    def __init__(self, bar: Progress, noun: str) -> None:
        self._bar = bar
        self._noun = noun
        self._task: TaskID | None = None

    def start(self, total: int, done: int) -> None:
        """See `Meter`."""
        self._task = self._bar.add_task(self._noun, total=total, completed=done, rate="", note="")

    def update(self, done: int, note: str) -> None:
        """See `Meter`."""
        if self._task is None:
            return
        speed = self._bar.tasks[0].speed
        rate = "" if speed is None else f"{speed:.2f}/s"
        self._bar.update(self._task, completed=done, rate=rate, note=note)

    def message(self, text: str) -> None:
        """See `Meter`; printed above the bar."""
        self._bar.console.print(printable(text), markup=False, highlight=False)


class MeteredJob:
    """Implements `dfsynth.progress.Progress`."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._done = self._failed = 0
        self.message = meter.message

    def start(self, images: int) -> None:
        """See `Progress`."""
        self._meter.start(images, 0)

    def advance(self, ok: int, failed: int) -> None:
        """See `Progress`."""
        self._done += ok + failed
        self._failed += failed
        self._meter.update(self._done, f"{self._failed} failed")


class MeteredTraining:
    """Implements `dfsynth.progress.TrainProgress`."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.message = meter.message

    def start(self, steps: int, done: int) -> None:
        """See `TrainProgress`."""
        self._meter.start(steps, done)

    def advance(self, step: int, phase: str, loss: float) -> None:
        """See `TrainProgress`."""
        self._meter.update(step, f"{phase}, loss {loss:.4f}")


class _Meters:
    """Several meters as one."""

    def __init__(self, *meters: Meter) -> None:
        self._meters = meters

    def start(self, total: int, done: int) -> None:
        """See `Meter`."""
        for meter in self._meters:
            meter.start(total, done)

    def update(self, done: int, note: str) -> None:
        """See `Meter`."""
        for meter in self._meters:
            meter.update(done, note)

    def message(self, text: str) -> None:
        """See `Meter`."""
        for meter in self._meters:
            meter.message(text)


@contextmanager
def job_progress(quiet: bool, noun: str = "images") -> Iterator[JobProgress]:
    """The progress of a job that counts `noun`, as fits where stderr goes."""
    with _meter(noun, quiet) as meter:
        yield MeteredJob(meter)


@contextmanager
def training_progress(quiet: bool) -> Iterator[TrainProgress]:
    """The progress of a training, as fits where stderr goes."""
    with _meter("steps", quiet) as meter:
        yield MeteredTraining(meter)


@contextmanager
def _meter(noun: str, quiet: bool) -> Iterator[Meter]:
    log = PlainMeter(noun, log_message)
    if quiet:
        yield log
    elif not shows_bars(sys.stderr):
        yield _Meters(log, PlainMeter(noun, _print_line))
    else:
        with _bar() as bar:
            yield _Meters(log, BarMeter(bar, noun))


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=RichConsole(stderr=True))


def _print_line(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def _gap_s(elapsed_s: float) -> float:
    return min(max(elapsed_s / _LINES_OF_A_RUN, _SHORTEST_GAP_S), _LONGEST_GAP_S)
