"""`dfsynth filter`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dfsynth.cli.completion import complete_checkpoint, complete_predicate, complete_score
from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, LogPath, Quiet, StorePath, Verbose
from dfsynth.counted_nouns import counted

if TYPE_CHECKING:
    from dfsynth.jobs.error_promise import ErrorPromise
    from dfsynth.jobs.filter import Filtered

EXAMPLE = (
    "Example: dfsynth filter x.zarr --where \"lung_fraction > 0.1 and view = 'PA'\" --keep 0.8 "
    "--out kept.parquet; with a promise: dfsynth filter x.zarr --max-error 0.5 --confidence 0.95"
)


def filter_store(
    store: StorePath,
    where: Annotated[
        str | None,
        typer.Option(
            help="SQL predicate over the manifest's columns.", autocompletion=complete_predicate
        ),
    ] = None,
    keep: Annotated[
        float | None, typer.Option(help="Share to keep, those lowest in --by: 0.8 keeps 80 %.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Column to keep the lowest of. (default: predicted_error; in a store without it "
            "uncertainty)",
            autocompletion=complete_score,
        ),
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(
            help="Keep images that are promised an error of shape of at most this, 0 to 1, but for "
            "a share of --risk."
        ),
    ] = None,
    confidence: Annotated[
        float | None, typer.Option(help="Of that promise, 0 to 1. (default: 0.95)")
    ] = None,
    risk: Annotated[
        float | None,
        typer.Option(help="Share of kept images that may have a larger error. (default: 0.1)"),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint that made the store, name or folder. (default: the packaged one)",
            autocompletion=complete_checkpoint,
        ),
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            help="Store of pairs to base the promise on, 20 patients or more, none of whom the "
            "generator was trained on. (default: the checkpoint's own table)"
        ),
    ] = None,
    include_no_lung: Annotated[
        bool, typer.Option("--include-no-lung", help="Do not drop images flagged no_lung.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the kept rows to this .parquet, .csv or .json file.")
    ] = None,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep the rows of the manifest that you want to train on; failed rows never pass."""
    with console_of(json, quiet, verbose, resumes=False, log=log) as console:
        from dfsynth.cli.meters import job_progress
        from dfsynth.commands import filter_images
        from dfsynth.options import FilterOptions

        options = FilterOptions.of(
            store=store,
            where=where,
            keep=keep,
            by=by,
            include_no_lung=include_no_lung,
            out=out,
            max_error=max_error,
            confidence=confidence,
            risk=risk,
            checkpoint=checkpoint,
            calibrate=calibrate,
        )
        with job_progress(console.quiet) as progress:
            found = filter_images(options, progress)
        console.result(found, "\n".join(_lines(found)))


def _lines(found: "Filtered") -> list[str]:
    lowest = f", those lowest in {found.by}" if found.promise is None and found.by else ""
    lines = [f"{found.kept} of {counted(found.total, 'image')} kept{lowest}"]
    if found.promise is not None:
        lines = [_promise_line(found.promise, found.kept_share), *lines]
    if found.no_lung:
        lines.append(f"{found.no_lung} left out: no lung found (--include-no-lung keeps them)")
    if any(finding.is_known for finding in found.findings):
        width = max(len(f.name) for f in found.findings)
        lines.append("kept, by finding:")
        lines += [f"  {f.name:<{width}}  {f.kept} of {f.total}" for f in found.findings]
    if found.out is not None:
        lines.append(f"written to {found.out}")
    return lines


def _promise_line(promise: "ErrorPromise", kept_share: float) -> str:
    """Threshold, kept share and assumption."""
    return (
        f"{promise.column} <= {promise.threshold:.4g} keeps {100 * kept_share:.3g} % of the "
        f"images: with a confidence of {100 * promise.confidence:g} % at most "
        f"{100 * promise.risk:g} % of them have an error above {promise.max_error:g}, "
        f"{promise.assumption}"
    )
