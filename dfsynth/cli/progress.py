"""Progress on stderr: a bar where somebody looks, plain lines in a log, with rate and ETA."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from dfsynth.jobs.commit import RunReport
from dfsynth.progress import Progress as JobProgress
from dfsynth.progress import Silent

_PLAIN_EVERY_S = 10.0


class PlainReporter:
    """One line every ten seconds and one at the end, for logs of job queues."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._total = self._done = self._failed = 0
        self._started = self._last = time.monotonic()

    def start(self, images: int) -> None:
        """Starts the clock."""
        self._total = images
        self._started = self._last = time.monotonic()
        print(f"{images} {self._noun} to do", file=sys.stderr, flush=True)

    def advance(self, ok: int, failed: int) -> None:
        """Counts, and tells when it is time."""
        self._done += ok + failed
        self._failed += failed
        now = time.monotonic()
        if now - self._last >= _PLAIN_EVERY_S or self._done == self._total:
            self._last = now
            rate = self._done / max(now - self._started, 1e-9)
            left_s = (self._total - self._done) / max(rate, 1e-9)
            print(
                f"{self._done}/{self._total} {self._noun}, {rate:.2f} {self._noun}/s, "
                f"{format_seconds(left_s)} left, {self._failed} failed",
                file=sys.stderr,
                flush=True,
            )

    def message(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)


class BarReporter:
    """A live bar."""

    def __init__(self, bar: Progress, noun: str) -> None:
        self._noun = noun
        self._bar = bar
        self._task: TaskID | None = None
        self._failed = 0

    def start(self, images: int) -> None:
        """Shows the bar."""
        self._task = self._bar.add_task(self._noun, total=images, rate="", failed="")

    def advance(self, ok: int, failed: int) -> None:
        """Moves the bar."""
        if self._task is None:
            return
        self._failed += failed
        speed = self._bar.tasks[0].speed
        self._bar.update(
            self._task,
            advance=ok + failed,
            rate="" if speed is None else f"{speed:.2f}/s",
            failed=f"{self._failed} failed" if self._failed else "",
        )

    def message(self, text: str) -> None:
        """Printed above the bar."""
        self._bar.console.print(text, markup=False, highlight=False)


@contextmanager
def reporter(quiet: bool, noun: str = "images") -> Iterator[JobProgress]:
    """The reporter that fits where stderr goes; `noun` is what it counts."""
    if quiet:
        yield Silent()
    elif not sys.stderr.isatty():
        yield PlainReporter(noun)
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}", style="yellow"),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            yield BarReporter(bar, noun)


def format_seconds(seconds: float) -> str:
    """`42 s`, `12 min` or `3 h 05 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_bytes(size_bytes: float) -> str:
    """`3.4 GB` and the like, powers of ten."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.3g} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.3g} TB"


def report_lines(report: RunReport, noun: str) -> list[str]:
    """What a run did, for people; `noun` is what it made."""
    lines = [
        f"this run: {report.ok} {noun} written, {report.failed} failed, "
        f"{format_seconds(report.seconds)}"
    ]
    if report.elsewhere:
        lines.append(
            f"{report.elsewhere} shards are in another process's hands; "
            "run the same command again should it not finish them"
        )
    return lines


def format_counts(counts: Mapping[str, int]) -> str:
    """`3 empty, 1 truncated`."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
