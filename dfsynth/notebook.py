"""Progress of jobs that are started in a notebook: a bar below the cell, and nothing elsewhere.

The bar is drawn by rich and shown by IPython's own display: it needs no widgets, and stays in the
notebook once it is saved.
"""

import sys
import time
from typing import Any, Final, Literal, TypeAlias

from rich.progress import Progress as RichProgress

from dfsynth.metering import BarMeter, MeteredJob, MeteredTraining, bar_columns
from dfsynth.printable_text import printable
from dfsynth.progress import Progress, Silent, SilentTraining, TrainProgress

ShownProgress: TypeAlias = Progress | Literal["auto"] | None
"""Who is told of a job: "auto" shows a bar in a notebook, None nothing anywhere."""
ShownTraining: TypeAlias = TrainProgress | Literal["auto"] | None
"""The same, of a training."""

_REDRAWN_EVERY_S: Final = 0.25


def job_progress(wanted: ShownProgress, noun: str = "images") -> Progress:
    """Who is told of a job that counts `noun`."""
    if wanted == "auto":
        return MeteredJob(NotebookMeter(noun)) if _kernel() is not None else Silent()
    return wanted or Silent()


def training_progress(wanted: ShownTraining) -> TrainProgress:
    """Who is told of a training."""
    if wanted == "auto":
        in_notebook = _kernel() is not None
        return MeteredTraining(NotebookMeter("steps")) if in_notebook else SilentTraining()
    return wanted or SilentTraining()


def _kernel() -> object | None:
    """The kernel that runs this as a notebook's cell; in a script and in a terminal there is none.

    Where IPython is not even loaded, it is not asked for.
    """
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None)


class NotebookMeter:
    """A bar in the output of a cell, redrawn four times a second."""

    def __init__(self, noun: str) -> None:
        self._bar = RichProgress(*bar_columns(), auto_refresh=False)
        self._meter = BarMeter(self._bar, noun)
        self._total = 0
        self._drawn_s = 0.0
        self._handle: Any = None

    def start(self, total: int, done: int) -> None:
        """See `dfsynth.metering.Meter`."""
        self._meter.start(total, done)
        self._total = total
        if total == 0:
            return
        self._handle = sys.modules["IPython.display"].display(self._table(), display_id=True)

    def update(self, done: int, note: str) -> None:
        """See `dfsynth.metering.Meter`."""
        self._meter.update(done, note)
        now = time.monotonic()
        if self._handle is None or (now - self._drawn_s < _REDRAWN_EVERY_S and done < self._total):
            return
        self._drawn_s = now
        self._handle.update(self._table())

    def message(self, text: str) -> None:
        """See `dfsynth.metering.Meter`; printed below the bar."""
        print(printable(text))

    def _table(self) -> object:
        return self._bar.make_tasks_table(self._bar.tasks)
