"""`dfsynth export`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.completion import complete_format
from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, LogPath, Quiet, StorePath, Verbose, output_option
from dfsynth.options import ExportOptions

EXAMPLE = "Example: dfsynth export nih-darkfield.zarr --to hdf5 --out nih-darkfield.h5"


def export(
    store: StorePath,
    to: Annotated[
        str, typer.Option(help="What to write: zarr or hdf5.", autocompletion=complete_format)
    ],
    out: Annotated[Path, output_option("Where to write it, for example x.h5.")],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove a store that is there first.")
    ] = False,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a store in another format, with equal values, manifest and provenance.

    Takes the shards that are committed; the same command again goes on, and takes those that were
    committed since.
    """
    with console_of(json, quiet, verbose, log=log) as console:
        from dfsynth.api import export_store
        from dfsynth.cli.formats import format_seconds
        from dfsynth.cli.meters import job_progress

        options = ExportOptions.of(store=store, to=to, out=out, overwrite=overwrite)
        with job_progress(console.quiet) as progress:
            report = export_store(options, progress)
        lines = [
            f"{report.out}: {report.shards_done} of {report.shards} shards",
            f"this run: {report.ok} rows written, {report.failed} kept as failed, "
            f"{format_seconds(report.seconds)}",
        ]
        if report.elsewhere:
            lines.append(f"{report.elsewhere} shards are in another process's hands")
        if report.pending:
            lines.append(
                f"{report.pending} shards of {report.store} are not built yet; build them there "
                "and export again, or finish the build in the new store"
            )
        console.result(report, "\n".join(lines))
