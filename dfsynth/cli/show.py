"""`dfsynth show`."""

from pathlib import Path
from typing import Annotated

import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, MaxBytes, MaxPixels, Quiet, StorePath, Verbose
from dfsynth.options.coercion import to_names

EXAMPLE = "Example: dfsynth show x.zarr --source nih --root /data/ChestX-ray14 --out sheet.png"


def show(
    store: StorePath,
    out: Annotated[
        Path | None, typer.Option(help="The PNG to write. (default: beside STORE, as x.zarr.png)")
    ] = None,
    images: Annotated[int, typer.Option(min=1, help="How many, spread over the store.")] = 8,
    ids: Annotated[str, typer.Option(help="These images instead: a,b,…")] = "",
    source: Annotated[
        str | None, typer.Option(help="Where the radiographs are, if the store lacks them.")
    ] = None,
    root: Annotated[Path | None, typer.Option(help="Root of --source.")] = None,
    max_pixels: MaxPixels = None,
    max_bytes: MaxBytes = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw a contact sheet: attenuation, dark-field, and its uncertainty or (pairs) its truth."""
    with console_of(json, quiet, verbose) as console:
        from dfsynth.jobs.show import draw_sheet

        # Resolved, since `.` has no name to build on.
        whole = store.resolve()
        sheet = out or whole.parent / f"{whole.name}.png"
        found = draw_sheet(store, sheet, images, to_names(ids), source, root, max_pixels, max_bytes)
        lines = [f"{_images(len(found.images))} drawn: {found.picture}"]
        if found.blank:
            lines.append(
                f"attenuation left blank for {_images(found.blank)}: give --source (and --root) "
                "as the build had them"
            )
        console.result(found, "\n".join(lines))


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
