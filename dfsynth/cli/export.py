"""`dfsynth export`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dfsynth.cli.completion import complete_format
from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, LogPath, Quiet, StorePath, Verbose, output_option
from dfsynth.counted_nouns import counted
from dfsynth.options import ExportOptions

if TYPE_CHECKING:
    from dfsynth.jobs.exporter import ExportReport

EXAMPLE = (
    'Example: dfsynth export x.zarr --to tiff --out tiffs --where "predicted_error < 0.4"; '
    "as another store: dfsynth export x.zarr --to hdf5 --out x.h5"
)


def export(
    store: StorePath,
    to: Annotated[
        str,
        typer.Option(
            help="What to write: files as png, tiff, dicom, webdataset or parquet; a store as "
            "zarr or hdf5.",
            autocompletion=complete_format,
        ),
    ],
    out: Annotated[Path, output_option("Where to write it: a folder, or for example x.h5.")],
    where: Annotated[
        str | None,
        typer.Option(help="SQL predicate over the manifest's columns, as of dfsynth filter."),
    ] = None,
    include_no_lung: Annotated[
        bool,
        typer.Option("--include-no-lung", help="Let --where keep images without lung as well."),
    ] = False,
    space: Annotated[
        str,
        typer.Option(help="grid: maps as stored; source: in the pixels of the source's image."),
    ] = "grid",
    dtype: Annotated[
        str | None, typer.Option(help="Of TIFF: uint16 with its scale, or float32.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove a store or an export that is there first.")
    ] = False,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write images of a store as files, or the store in another format.

    Takes the shards that are committed; the same command again goes on, and takes those that were
    committed since. Nothing is generated anew.
    """
    with console_of(json, quiet, verbose, log=log) as console:
        from dfsynth.cli.meters import job_progress
        from dfsynth.jobs.export import run_export

        options = ExportOptions.of(
            store=store,
            to=to,
            out=out,
            where=where,
            include_no_lung=include_no_lung,
            space=space,
            dtype=dtype,
            overwrite=overwrite,
        )
        with job_progress(console.quiet) as progress:
            report = run_export(options, progress)
        console.result(report, "\n".join(_lines(report)))


def _lines(report: "ExportReport") -> list[str]:
    """What a person is told of an export."""
    from dfsynth.cli.formats import format_seconds

    seconds = format_seconds(report.seconds)
    if report.images is None:
        lines = [
            f"{report.out}: {report.shards_done} of {counted(report.shards, 'shard')}",
            f"this run: {counted(report.ok, 'row')} written, {report.failed} kept as failed, "
            f"{seconds}",
        ]
        finish = "or finish the build in the new store"
    else:
        lines = [
            f"{report.out}: {counted(report.images, 'image')} as {report.to}",
            f"this run: {counted(report.ok, 'image')} written, {seconds}",
            f"left out: {counted(report.failed, 'row')} that failed in the store, "
            f"{report.left_out} that --where does not keep",
        ]
        if report.own_scale:
            lines.append(
                f"{report.own_scale} of the written images hold values beyond the common scale of "
                "a map: take the scale from each file"
            )
        finish = "to take their images too"
    if report.elsewhere:
        lines.append(
            f"{counted(report.elsewhere, 'shard is', 'shards are')} in another process's hands"
        )
    if report.pending:
        lines.append(
            f"shards of {report.store} that are not built yet: {report.pending}; build them there "
            f"and export again, {finish}"
        )
    return lines
