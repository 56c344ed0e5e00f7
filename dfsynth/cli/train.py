"""`dfsynth train`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dfsynth.cli.completion import complete_checkpoint, complete_recipe, complete_task
from dfsynth.cli.console import Console, console_of
from dfsynth.cli.options import Device, JsonFlag, LogPath, Precision, Quiet, Verbose, output_option
from dfsynth.counted_nouns import counted

if TYPE_CHECKING:
    from dfsynth.options import TrainOptions

EXAMPLE = "Example: dfsynth train compact-256 --data pairs.zarr --out runs/first"


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="A recipe: a TOML file or a packaged name.", autocompletion=complete_recipe
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            help="Pairs: a store of dfsynth simulate, a folder of inputs (with --targets), or a "
            "CSV or Parquet table of two path columns; of unpaired recipes good radiographs."
        ),
    ],
    out: Annotated[Path, output_option("Folder of the run.")],
    targets: Annotated[
        Path | None,
        typer.Option(
            help="Folder of targets with the names of --data's files; of unpaired recipes images "
            "of the domain to degrade to."
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="Fit the recipe to this task, a name or the TOML file of your own: window, "
            "outputs and augmentation that suit it.",
            autocompletion=complete_task,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(help="Fit the recipe to images of this side, in pixels.", metavar="PIXELS"),
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            help="Begin with the weights of this checkpoint: a folder or a packaged name.",
            autocompletion=complete_checkpoint,
        ),
    ] = None,
    member: Annotated[
        int | None,
        typer.Option(
            help="Train as member I of an ensemble (from 0): its own weights, augmentation and "
            "draw of training patients."
        ),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print the resolved recipe, parameters, memory and time; train not."
        ),
    ] = False,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Train a generator on pairs, such as radiographs and dark-field images, or a degrader.

    Run the same command again to go on where it stopped. RUN/best is a checkpoint for
    `dfsynth build`. Several GPUs: torchrun --nproc-per-node N -m dfsynth train ...
    """
    with console_of(json, quiet, verbose, log=log) as console:
        from dfsynth.options import TrainOptions

        options = TrainOptions.of(
            recipe=recipe,
            data=data,
            out=out,
            targets=targets,
            task=task,
            size=size,
            start_from=start_from,
            member=member,
            device=device,
            precision=precision,
        )
        if dry_run:
            _dry_run(options, console)
        else:
            _run(options, console)


def _run(options: "TrainOptions", console: Console) -> None:
    from dfsynth.cli.formats import format_seconds
    from dfsynth.cli.meters import training_progress
    from dfsynth.train import run_training

    with training_progress(console.quiet) as progress:
        report = run_training(options, progress)
    score = "none" if report.best_score is None else f"{report.best_score:.4f}"
    lines = [
        f"{report.run}: {counted(report.steps, 'step')}, {report.steps_now} of them now, "
        f"{format_seconds(report.seconds)}, {report.pairs_per_second:.1f} pairs/s",
        f"best validation score {score}: {report.best}",
    ]
    if report.bad_steps:
        lines.append(
            f"left out: {counted(report.bad_steps, 'step')} with a non-finite loss or gradient"
        )
    if report.writes:
        console.result(report, "\n".join(lines))


def _dry_run(options: "TrainOptions", console: Console) -> None:
    from dfsynth.cli.formats import format_bytes, format_counts, format_seconds
    from dfsynth.cli.meters import training_progress
    from dfsynth.datasets import check_pairs
    from dfsynth.train import plan_training, prepare_training
    from dfsynth.train.recipe import recipe_entries

    with training_progress(console.quiet) as progress:
        prepared = prepare_training(options, progress)
        check_pairs(prepared.source, progress.message)
    found = plan_training(prepared)
    stages = ", ".join(f"{n / 1e6:.2f} M" for n in found.parameters_a_stage)
    lines = [
        *_flatten(recipe_entries(prepared.recipe)),
        f"pairs: {format_counts(found.pairs)}",
        f"parameters: stages {stages}; discriminators {found.discriminator_parameters / 1e6:.2f} M",
        f"memory: weights {format_bytes(found.weights_bytes)}, activations "
        f"{format_bytes(found.activations_bytes)}",
        f"time: {counted(found.steps, 'step')} of {found.tflop / found.steps:.3g} TFLOP, very "
        f"roughly {format_seconds(found.seconds)} on {prepared.device} in {prepared.precision}",
    ]
    console.result(found, "\n".join(lines))


def _flatten(table: dict[str, object], where: str = "") -> list[str]:
    """`network.stages = 3` and so on."""
    lines = []
    for key, value in table.items():
        if key in ("provenance", "own_task"):
            continue
        if isinstance(value, dict):
            lines += _flatten(value, f"{where}{key}.")
        elif isinstance(value, tuple) and value and isinstance(value[0], dict):
            for item in value:
                lines += _flatten(item, f"{where}{key}.{item.get('name')}.")
        else:
            lines.append(f"{where}{key} = {value}")
    return lines
