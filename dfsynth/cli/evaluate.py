"""`dfsynth evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.completion import complete_checkpoint, one_of
from dfsynth.cli.console import console_of
from dfsynth.cli.options import (
    Device,
    Guidance,
    JsonFlag,
    LogPath,
    MonteCarlo,
    Precision,
    Quiet,
    Sampler,
    SamplerSteps,
    Verbose,
    output_option,
)
from dfsynth.options import DEFAULT_MC_SAMPLES
from dfsynth.options.evaluate_options import CALIBRATION_CHOICES, SPLIT_CHOICES

EXAMPLE = "Example: dfsynth evaluate default --data pairs.zarr --out evaluation"


def evaluate(
    checkpoint: Annotated[
        str,
        typer.Argument(
            help="Name of a packaged checkpoint, or its folder.",
            autocompletion=complete_checkpoint,
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(help="Pairs: a store, a folder with --targets, or a table of two columns."),
    ],
    targets: Annotated[
        Path | None, typer.Option(help="Folder of dark-field images, named as those of --data.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            help="Patients to test on: test, val, calibration, train or all.",
            autocompletion=one_of(SPLIT_CHOICES),
        ),
    ] = "test",
    ood: Annotated[
        Path | None,
        typer.Option(help="Folder of out-of-distribution images: are they detected?"),
    ] = None,
    out: Annotated[
        Path | None,
        output_option("Folder for metrics.json, images.csv and two figures."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most so many pairs of a split and images of --ood.")
    ] = None,
    calibration: Annotated[
        str,
        typer.Option(
            help="Intervals from: pairs (the calibration patients of --data), controlled (the "
            "same, with a guarantee), card (of the checkpoint), none (the density's own), auto "
            "(pairs, card or none: the first there is).",
            autocompletion=one_of(CALIBRATION_CHOICES),
        ),
    ] = "auto",
    mc_samples: Annotated[int, typer.Option(help="Monte-Carlo samples.")] = DEFAULT_MC_SAMPLES,
    mc: MonteCarlo = "full",
    sampler: Sampler = None,
    sampler_steps: SamplerSteps = None,
    guidance: Guidance = None,
    seed: Annotated[int, typer.Option(help="Of samples, drawn pixels and bootstrap.")] = 0,
    precision: Precision = "auto",
    device: Device = "auto",
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Evaluate a checkpoint on pairs: fidelity, and quality of its uncertainty, stage by stage.

    Figures of synthetic images, not for diagnosis.
    """
    with console_of(json, quiet, verbose, resumes=False, log=log) as console:
        from dfsynth.cli.meters import job_progress
        from dfsynth.extras import load_evaluation

        load_evaluation()
        from dfsynth.evaluate import (
            UnwrittenReportError,
            run_evaluation,
            tabulate,
            written_files,
        )
        from dfsynth.options import EvaluationOptions

        options = EvaluationOptions.of(
            checkpoint=checkpoint,
            data=data,
            targets=targets,
            split=split,
            ood=ood,
            limit=limit,
            calibration=calibration,
            mc_samples=mc_samples,
            mc=mc,
            sampler=sampler,
            sampler_steps=sampler_steps,
            guidance=guidance,
            device=device,
            precision=precision,
            seed=seed,
        )
        try:
            with job_progress(console.quiet) as progress:
                report = run_evaluation(options, out, progress)
        except UnwrittenReportError as error:
            # Hours may lie in these figures: a disk that is full now must not take them away.
            scores = error.report.scores
            console.result(scores, tabulate(scores))
            raise
        scores = report.scores
        text = tabulate(scores)
        if out is not None:
            text += "\nwritten: " + ", ".join(map(str, written_files(report, out)))
        console.result(scores, text)
