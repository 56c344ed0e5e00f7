"""`dfsynth train`."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from dfsynth.cli.options import Json, Quiet, Verbose
from dfsynth.cli.session import Session, session

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from dfsynth.options import TrainOptions
    from dfsynth.progress import TrainProgress

EXAMPLE = "Example: dfsynth train compact-256 --data pairs.zarr --out runs/first"
_PLAIN_EVERY_S: Final = 10.0


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe: a TOML file or a packaged name.")],
    data: Annotated[
        Path,
        typer.Option(
            help="Pairs: a store of dfsynth simulate, a folder of radiographs (with --targets), "
            "or a CSV or Parquet table of two path columns."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    targets: Annotated[
        Path | None, typer.Option(help="Folder of dark-field images with the names of --data's.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            help="Begin with the weights of this checkpoint: a folder or a packaged name."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:I.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the resolved recipe, parameters, memory and time; train not."
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a generator on pairs of radiographs and dark-field images.

    Run the same command again to go on where it stopped. RUN/best is a checkpoint for
    `dfsynth build`. Several GPUs: torchrun --nproc-per-node N -m dfsynth train ...
    """
    with session(json, quiet, verbose) as talk:
        from dfsynth.options import TrainOptions

        options = TrainOptions(
            recipe=recipe,
            data=data,
            out=out,
            targets=targets,
            start_from=start_from,
            device=device,
            precision=precision,
        )
        if dry_run:
            _dry_run(options, talk)
        else:
            _run(options, talk)


def _run(options: "TrainOptions", talk: Session) -> None:
    from dfsynth.api import train_generator
    from dfsynth.cli.progress import format_seconds

    with _reporter(talk.quiet) as progress:
        report = train_generator(
            options.recipe,
            options.data,
            options.out,
            targets=options.targets,
            start_from=options.start_from,
            device=options.device,
            precision=options.precision,
            progress=progress,
        )
    score = "none" if report.best_score is None else f"{report.best_score:.4f}"
    lines = [
        f"{report.run}: {report.steps} steps, {report.steps_now} of them now, "
        f"{format_seconds(report.seconds)}, {report.pairs_per_second:.1f} pairs/s",
        f"best validation NLL {score}: {report.best}",
    ]
    if report.bad_steps:
        lines.append(
            f"{report.bad_steps} steps had a non-finite loss or gradient and taught nothing"
        )
    if report.writes:
        talk.result(report, "\n".join(lines))


def _dry_run(options: "TrainOptions", talk: Session) -> None:
    from dfsynth.cli.progress import format_bytes, format_counts, format_seconds
    from dfsynth.datasets import check_pairs
    from dfsynth.train import estimate_training, prepare_training

    with _reporter(talk.quiet) as progress:
        prepared = prepare_training(options, progress)
        check_pairs(prepared.source, progress.message)
    found = estimate_training(prepared)
    counts = {name: len(rows) for name, rows in prepared.indices.items()}
    stages = ", ".join(f"{n / 1e6:.2f} M" for n in found.parameters_a_stage)
    lines = [
        *_flatten(asdict(prepared.recipe)),
        f"pairs: {format_counts(counts)}",
        f"parameters: stages {stages}; discriminators {found.discriminator_parameters / 1e6:.2f} M",
        f"memory: weights {format_bytes(found.weights_bytes)}, activations "
        f"{format_bytes(found.activations_bytes)}",
        f"time: {found.steps} steps of {found.tflop / found.steps:.3g} TFLOP, very roughly "
        f"{format_seconds(found.seconds)} on {prepared.device} in {prepared.precision}",
    ]
    record = {"recipe": asdict(prepared.recipe), "pairs": counts, **asdict(found)}
    talk.result(record, "\n".join(lines))


def _flatten(table: dict[str, object], where: str = "") -> list[str]:
    """`network.stages = 3` and so on."""
    lines = []
    for key, value in table.items():
        if key == "provenance":
            continue
        if isinstance(value, dict):
            lines += _flatten(value, f"{where}{key}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], dict):
            for item in value:
                lines += _flatten(item, f"{where}{key}.{item.get('name')}.")
        else:
            lines.append(f"{where}{key} = {value}")
    return lines


@contextmanager
def _reporter(quiet: bool) -> "Iterator[TrainProgress]":
    """The reporter that fits where stderr goes."""
    from dfsynth.progress import SilentTraining

    if quiet:
        yield SilentTraining()
    elif not sys.stderr.isatty():
        yield _PlainReporter()
    else:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            yield _BarReporter(bar)


class _PlainReporter:
    """One line every ten seconds, for logs of job queues."""

    def __init__(self) -> None:
        self._total = self._first = 0
        self._started = self._last = time.monotonic()

    def start(self, steps: int, done: int) -> None:
        self._total, self._first = steps, done
        self._started = self._last = time.monotonic()
        self.message(f"{steps - done} of {steps} steps to do")

    def advance(self, step: int, phase: str, loss: float) -> None:
        from dfsynth.cli.progress import format_seconds

        now = time.monotonic()
        if now - self._last < _PLAIN_EVERY_S and step < self._total:
            return
        self._last = now
        rate = (step - self._first) / max(now - self._started, 1e-9)
        left = format_seconds((self._total - step) / max(rate, 1e-9))
        self.message(
            f"{step}/{self._total} steps ({phase}), {rate:.2f} steps/s, {left} left, "
            f"loss {loss:.4f}"
        )

    def message(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class _BarReporter:
    """A live bar."""

    def __init__(self, bar: "Progress") -> None:
        self._bar = bar
        self._task: TaskID | None = None

    def start(self, steps: int, done: int) -> None:
        self._task = self._bar.add_task("steps", total=steps, completed=done, loss="")

    def advance(self, step: int, phase: str, loss: float) -> None:
        if self._task is not None:
            self._bar.update(self._task, completed=step, description=phase, loss=f"loss {loss:.4f}")

    def message(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)
