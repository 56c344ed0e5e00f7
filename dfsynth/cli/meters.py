"""Progress on stderr: a bar where somebody looks, else plain lines, with rate and time left.

The file of `--log` gets the plain lines too, whatever stderr gets.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console as RichConsole
from rich.progress import Progress

from dfsynth.cli.formats import format_seconds
from dfsynth.cli.log_file import log_message
from dfsynth.cli.terminal import shows_bars
from dfsynth.metering import BarMeter, Meter, MeteredJob, MeteredTraining, bar_columns
from dfsynth.printable_text import printable
from dfsynth.progress import Progress as JobProgress
from dfsynth.progress import TrainProgress

_SHORTEST_GAP_S: Final = 10.0
_LONGEST_GAP_S: Final = 300.0
_LINES_OF_A_RUN: Final = 60


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
        of_all = f" of {total}" if done else ""
        noun = self._noun.removesuffix("s") if total == 1 else self._noun
        self.message(f"{total - done}{of_all} {noun} to do")

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
        with Progress(*bar_columns(), console=RichConsole(stderr=True)) as bar:
            yield _Meters(log, BarMeter(bar, noun))


def _print_line(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def _gap_s(elapsed_s: float) -> float:
    return min(max(elapsed_s / _LINES_OF_A_RUN, _SHORTEST_GAP_S), _LONGEST_GAP_S)
