"""`dfsynth show`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.completion import complete_corpus, complete_predicate, complete_score
from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, LogPath, MaxBytes, MaxPixels, Quiet, StorePath, Verbose
from dfsynth.counted_nouns import counted
from dfsynth.options import ShowOptions

EXAMPLE = (
    "Example: dfsynth show x.zarr --worst 6 --by epistemic_mean --source nih "
    "--root /data/ChestX-ray14 --out worst.png"
)


def show(
    store: StorePath,
    out: Annotated[
        Path | None,
        typer.Option(help="The .png, .jpg or .webp to write. (default: beside STORE, x.zarr.png)"),
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="How many, spread over the store.")] = 8,
    ids: Annotated[str, typer.Option(help="These images instead: a,b,…")] = "",
    where: Annotated[
        str | None,
        typer.Option(
            help="Of these only: SQL predicate over the manifest's columns.",
            autocompletion=complete_predicate,
        ),
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(help="Instead the N images that --by likes least, beside the N best."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Column of --worst. (default: predicted_error; without it uncertainty)",
            autocompletion=complete_score,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Where the radiographs are, if the store lacks them.",
            autocompletion=complete_corpus,
        ),
    ] = None,
    root: Annotated[str | None, typer.Option(help="Root of --source.")] = None,
    truth: Annotated[
        str | None,
        typer.Option(help="Store of simulated pairs whose inputs were given: its truth beside."),
    ] = None,
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw a contact sheet: attenuation, dark-field, and its uncertainty or (pairs) its truth."""
    with console_of(json, quiet, verbose, log=log) as console:
        options = ShowOptions.of(
            store=store,
            out=out,
            images=images,
            ids=ids,
            where=where,
            worst=worst,
            by=by,
            source=source,
            root=root,
            truth=truth,
            max_pixels=max_pixels,
            max_bytes=max_bytes,
        )
        from dfsynth.jobs.show import draw_sheet

        found = draw_sheet(options)
        lines = [f"{counted(len(found.images), 'image')} drawn: {found.picture}"]
        if found.ranking is not None:
            lines.append(found.ranking.describe())
        if found.blank:
            lines.append(
                f"input left blank for {counted(found.blank, 'image')}: give --source (and "
                "--root) as the build had them"
            )
        console.result(found, "\n".join(lines))
