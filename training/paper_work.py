"""Trains and tests what is left of a list of jobs, in several processes of one core each."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import torch
from kept_training import NotYetError
from paper_methods import CASCADE, METHODS, ON_GPU, Budget, Method
from paper_runs import FoldResult, Study
from shared_work import add_sharing, share_work

from dfsynth.errors import DfsynthError
from dfsynth.tasks import task_named

TASKS: Final = ("mri-undersampled", "pet-ct", "mri-motion", "dark-field-radiography")


@dataclass(frozen=True, slots=True)
class Job:
    """A method on a fold."""

    method: Method
    fold: int
    patients: int | None = None
    """That train; None: all."""
    steps: int | None = None
    """None: those of the budget."""

    @property
    def name(self) -> str:
        """In what is printed."""
        few = "" if self.patients is None else f", {self.patients} patients"
        return f"{self.method.name}, fold {self.fold}{few}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pairs of a task are, and where its results go.

    Trainings with a residual are no trainings without: they have a folder of their own.
    """

    out: Path
    task: str
    data: Path
    budget: Budget
    folds: int
    device: str = "cpu"

    @classmethod
    def of(cls, given: argparse.Namespace, task: str) -> Self:
        """As the command was told."""
        budget = ON_GPU if given.gpu else Budget()
        if given.steps is not None:
            budget = replace(budget, steps=given.steps)
        name = task
        if given.residual and task_named(task).output.quantity == "input":
            budget = replace(budget, residual=given.residual)
            name = f"{task}-residual-{given.residual:g}"
        # What a GPU has trained can be reported without it.
        trains = given.gpu and (given.minutes or torch.cuda.is_available())
        device = "cuda" if trains else "cpu"
        pairs = given.pairs / f"{task}.zarr"
        return cls(given.out / name, task, pairs, budget, given.folds, device)

    @property
    def title(self) -> str:
        """Over tables and figures."""
        residual = self.budget.residual
        return f"{self.task}, residual {residual:g}" if residual else self.task

    def open(self) -> Study:
        """Opens the pairs.

        Raises:
            UsageError: they cannot be used.
        """
        return Study.open(self.out, self.task, self.data, self.budget, self.folds, self.device)


def parser_of(doc: str) -> argparse.ArgumentParser:
    """What all commands of the comparison take."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--pairs", type=Path, required=True, help="folder of stores TASK.zarr")
    parser.add_argument("--out", type=Path, required=True, help="folder of trainings and results")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, help=f"updates a training; {Budget().steps}, or {ON_GPU.steps}"
    )
    parser.add_argument(
        "--gpu",
        action="store_true",
        help=f"at {ON_GPU.size} x {ON_GPU.size}, with full networks, on cuda",
    )
    parser.add_argument(
        "--residual",
        type=float,
        default=0.0,
        help="all methods add so much of what they compute to the input, in tasks whose output is "
        "the input's quantity, such as mri-motion; 0: they compute the image",
    )
    add_sharing(parser)
    return parser


def add_methods(parser: argparse.ArgumentParser, usual: Sequence[Method] = METHODS) -> None:
    """Adds the choice of rows, and of what they are compared with."""
    names = [m.name for m in METHODS]
    parser.add_argument("--methods", nargs="+", choices=names, default=[m.name for m in usual])
    parser.add_argument(
        "--beside", choices=names, default=CASCADE.name, help="what the others are compared with"
    )


def chosen_methods(given: argparse.Namespace) -> list[Method]:
    """Of `add_methods`, in the order of the tables."""
    return [m for m in METHODS if m.name in given.methods]


def open_all(given: argparse.Namespace) -> list[tuple[Place, Study]]:
    """Where the tasks asked for are worked at, each with its pairs; before the first is begun.

    Raises:
        UsageError: some pairs, or the device, are not there or cannot be used.
    """
    places = [Place.of(given, task) for task in given.tasks]
    return [(place, place.open()) for place in places]


def work(place: Place, jobs: Sequence[Job], given: argparse.Namespace) -> None:
    """Goes through jobs in order until all are done, or no more may be begun."""
    share_work(place.open, jobs, _done, given.workers, given.minutes)


def collect(
    study: Study, methods: Sequence[Method], patients: int | None = None, steps: int | None = None
) -> dict[str, list[FoldResult]]:
    """Method → what there is of its folds."""
    folds = [study.fold(number, patients) for number in range(study.folds)]
    found = {m.name: [study.tested(m, fold, steps, make=False) for fold in folds] for m in methods}
    return {name: [test for test in tests if test is not None] for name, tests in found.items()}


def has_results(place: Place, found: Iterable[object]) -> bool:
    """Whether a task has any; says so where it has none, so that there is nothing to report."""
    if any(found):
        return True
    print(f"\n{place.title}: no results yet", flush=True)
    return False


def _done(study: Study, job: Job) -> bool:
    """Whether nothing is left to do for a job; a failure is printed, and the others go on."""
    fold, started = study.fold(job.fold, job.patients), time.monotonic()
    try:
        if study.tested(job.method, fold, job.steps, make=False) is None:
            study.tested(job.method, fold, job.steps)
            took = time.monotonic() - started
            print(f"{study.task.name}: {job.name}: {took:.0f} s", flush=True)
    except NotYetError:
        return False
    except DfsynthError as error:
        print(f"{study.task.name}: {job.name} failed: {error}", file=sys.stderr, flush=True)
    return True
