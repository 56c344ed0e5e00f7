"""`dfsynth report`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.options import (
    JsonFlag,
    LogPath,
    MaxBytes,
    MaxPixels,
    Quiet,
    Verbose,
    output_option,
)
from dfsynth.counted_nouns import counted
from dfsynth.options import DEFAULT_THUMBNAILS, ReportOptions

EXAMPLE = "Example: dfsynth report x.zarr --out report/, then open report/index.html in a browser"


def report(
    store: Annotated[
        str, typer.Argument(help="A store, such as x.zarr, or a folder of dfsynth evaluate.")
    ],
    out: Annotated[
        Path | None,
        output_option(
            "Folder to write; an earlier report is replaced. (default: beside STORE, x.zarr.report)"
        ),
    ] = None,
    thumbnails: Annotated[
        int, typer.Option(min=0, help="How many images have thumbnails, spread over every score.")
    ] = DEFAULT_THUMBNAILS,
    source: Annotated[
        str | None, typer.Option(help="Where the radiographs are, if the store lacks them.")
    ] = None,
    root: Annotated[str | None, typer.Option(help="Root of --source.")] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint that made the store, name or folder, for the expected error. "
            "(default: the packaged one)"
        ),
    ] = None,
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log: LogPath = None,
) -> None:
    """Write a folder to look at and choose from in a browser: scores, galleries, a threshold."""
    with console_of(json, quiet, verbose, resumes=False, log=log) as console:
        options = ReportOptions.of(
            store=store,
            out=out,
            thumbnails=thumbnails,
            source=source,
            root=root,
            checkpoint=checkpoint,
            max_pixels=max_pixels,
            max_bytes=max_bytes,
        )
        from dfsynth.cli.meters import job_progress
        from dfsynth.jobs.reporting.job import run_report

        with job_progress(console.quiet) as progress:
            found = run_report(options, progress)
        lines = [
            f"{found.kind}: {counted(found.images, 'image')}, {found.thumbnails} with thumbnails, "
            f"{found.size_bytes / 1e6:.1f} MB",
            *(f"damaged: {sentence}" for sentence in found.damage),
            *(f"note: {sentence}" for sentence in found.remarks),
            f"open {found.page} in a browser",
        ]
        console.result(found, "\n".join(lines))
