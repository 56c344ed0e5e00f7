"""`dfsynth filter`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, Quiet, StorePath, Verbose

EXAMPLE = (
    "Example: dfsynth filter x.zarr --where \"uncertainty < 0.05 and view = 'PA'\" "
    "--out kept.parquet"
)


def filter_store(
    store: StorePath,
    where: Annotated[
        str | None, typer.Option(help="SQL predicate over the manifest's columns.")
    ] = None,
    keep: Annotated[
        float | None, typer.Option(help="Share to keep, those lowest in --by: 0.8 keeps 80 %.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="Column to keep the lowest of. (default: uncertainty)")
    ] = None,
    include_no_lung: Annotated[
        bool, typer.Option("--include-no-lung", help="Do not drop images flagged no_lung.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the kept rows to this Parquet file.")
    ] = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep the rows of the manifest that you want to train on; failed rows never pass."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.jobs.filter import filter_manifest

        found = filter_manifest(store, where, keep, by, include_no_lung, out)
        lines = [f"{found.kept} of {found.total} images kept"]
        if found.no_lung:
            lines.append(
                f"{found.no_lung} more left out: no lung found (--include-no-lung keeps them)"
            )
        if found.findings:
            width = max(len(f.name) for f in found.findings)
            lines += [f"  {f.name:<{width}}  {f.kept} of {f.total}" for f in found.findings]
        if out is not None:
            lines.append(f"written to {out}")
        console.result(found, "\n".join(lines))
