"""Progress of a job as a bar with rate and time left, for terminals and notebooks alike."""

from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from dfsynth.printable_text import printable


class Meter(Protocol):
    """Shows how far something has come."""

    def start(self, total: int, done: int) -> None:
        """Before the first of `total`, of which `done` were done before."""

    def update(self, done: int, note: str) -> None:
        """How many are done by now, and a few words beside."""

    def message(self, text: str) -> None:
        """One line that stays."""


def bar_columns() -> tuple[ProgressColumn, ...]:
    """What stands in the line of a bar."""
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )


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
