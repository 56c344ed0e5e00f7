"""Progress on stderr: a bar where somebody looks, plain lines in a log, with rate and time left."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

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
from dfsynth.cli.printable import printable
from dfsynth.progress import Progress as JobProgress
from dfsynth.progress import Silent, SilentTraining, TrainProgress

_PLAIN_EVERY_S = 10.0


class Meter(Protocol):
    """Shows how far something has come."""

    def start(self, total: int, done: int) -> None:
        """Before the first of `total`, of which `done` were done before."""

    def update(self, done: int, note: str) -> None:
        """How many are done by now, and a few words beside."""

    def message(self, text: str) -> None:
        """One line that stays."""


class PlainMeter:
    """One line every ten seconds and one at the end, for logs of job queues."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
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
        if now - self._last < _PLAIN_EVERY_S and done != self._total:
            return
        self._last = now
        rate = (done - self._first) / max(now - self._started, 1e-9)
        left = format_seconds((self._total - done) / max(rate, 1e-9))
        noun = self._noun
        self.message(f"{done}/{self._total} {noun}, {rate:.2f} {noun}/s, {left} left, {note}")

    def message(self, text: str) -> None:
        """See `Meter`."""
        print(printable(text), file=sys.stderr, flush=True)


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


@contextmanager
def job_progress(quiet: bool, noun: str = "images") -> Iterator[JobProgress]:
    """The progress of a job that counts `noun`, as fits where stderr goes."""
    if quiet:
        yield Silent()
        return
    with _meter(noun) as meter:
        yield MeteredJob(meter)


@contextmanager
def training_progress(quiet: bool) -> Iterator[TrainProgress]:
    """The progress of a training, as fits where stderr goes."""
    if quiet:
        yield SilentTraining()
        return
    with _meter("steps") as meter:
        yield MeteredTraining(meter)


@contextmanager
def _meter(noun: str) -> Iterator[Meter]:
    if not sys.stderr.isatty():
        yield PlainMeter(noun)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=RichConsole(stderr=True)) as bar:
        yield BarMeter(bar, noun)
