"""Jobs in order, shared by several processes of one core each, and by several calls."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import torch

from dfsynth.counted_nouns import counted
from dfsynth.errors import DfsynthError
from dfsynth.files.durable import write_durably

Opened = TypeVar("Opened")
Job = TypeVar("Job")

_PAUSE_SECONDS: Final = 5.0
"""Before a process looks again whether what it waits for is done."""


def share_work(
    opening: Callable[[], Opened],
    jobs: Sequence[Job],
    finish: Callable[[Opened, Job], bool],
    workers: int,
    minutes: float,
) -> None:
    """Goes through jobs in order until all are done, or no more may be begun.

    Args:
        opening: what each process calls first; it and `finish` are of modules, for they are sent.
        jobs: what is to be done.
        finish: does a job, if it is not done yet; False while it has to wait for another process.
        workers: processes.
        minutes: in which jobs may be begun; 0: none.
    """
    if not jobs or not minutes:
        return
    # Threads of two trainings that spin while they wait would take each other's cores.
    os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")
    until = time.time() + 60 * minutes
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_work, args=(opening, jobs, finish, until)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    died = sum(bool(process.exitcode) for process in processes)
    if died:
        found = counted(len(processes), "process", "processes")
        print(f"{died} of {found} died; the same command goes on", file=sys.stderr, flush=True)


def in_one_line(main: Callable[[], None]) -> None:
    """Runs a script, and tells in one line, as commands do, what it cannot work with.

    Raises:
        SystemExit: with that line.
    """
    try:
        main()
    except DfsynthError as error:
        raise SystemExit(f"error: {error}") from error


def add_sharing(parser: argparse.ArgumentParser, jobs: str = "trainings") -> None:
    """The options that `share_work` needs: `workers` and `minutes`."""
    parser.add_argument("--workers", type=int, default=2, help=f"{jobs} at once, a core each")
    parser.add_argument(
        "--minutes", type=float, default=float("inf"), help=f"to begin {jobs} in; 0: report alone"
    )


def publish(lines: Sequence[str], out: Path) -> None:
    """Writes a report as OUT/report.md, and prints it."""
    write_durably(out / "report.md", "\n".join(lines).encode() + b"\n", out, "report")
    print(*lines, sep="\n", flush=True)


def _work(
    opening: Callable[[], Opened],
    jobs: Sequence[Job],
    finish: Callable[[Opened, Job], bool],
    until: float,
) -> None:
    torch.set_num_threads(1)
    opened, waiting = opening(), list(jobs)
    while waiting and time.time() < until:
        before, waiting = waiting, []
        for job in before:
            if time.time() > until:
                return
            if not finish(opened, job):
                waiting.append(job)
        if len(waiting) == len(before):
            time.sleep(_PAUSE_SECONDS)
