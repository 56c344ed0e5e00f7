"""Progress on stderr: a bar where somebody looks, plain lines in a log, with rate and time left."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as RichConsole
from rich.progress import Progress

from dfsynth.cli.formats import format_seconds
from dfsynth.metering import BarMeter, Meter, MeteredJob, MeteredTraining, bar_columns
from dfsynth.printable_text import printable
from dfsynth.progress import Progress as JobProgress
from dfsynth.progress import Silent, SilentTraining, TrainProgress

_PLAIN_EVERY_S = 10.0


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
    with Progress(*bar_columns(), console=RichConsole(stderr=True)) as bar:
        yield BarMeter(bar, noun)
