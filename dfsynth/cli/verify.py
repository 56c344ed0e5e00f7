"""`dfsynth verify`."""

from typing import Annotated

import typer

from dfsynth.cli.console import console_of
from dfsynth.cli.options import JsonFlag, LogPath, Quiet, StorePath, Verbose
from dfsynth.counted_nouns import counted
from dfsynth.errors import ExitStatus

EXAMPLE = "Example: dfsynth verify nih-darkfield.zarr --repair"


def verify(
    store: StorePath,
    repair: Annotated[
        bool, typer.Option("--repair", help="Re-queue damaged shards for the next run.")
    ] = False,
    log: LogPath = None,
    json: JsonFlag = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Re-read everything, check sums, and name each damaged image.

    Exits 1 where damage is found, repaired or not.
    """
    with console_of(json, quiet, verbose, log=log) as console:
        from dfsynth.cli.meters import job_progress
        from dfsynth.jobs.verify import verify_store

        with job_progress(console.quiet) as progress:
            found = verify_store(store, repair, progress)
        lines = [f"{_place(d.shard, d.image_id)}: {d.what}" for d in found.damage]
        lines.append(
            f"{counted(found.images, 'image')} of {counted(found.shards, 'committed shard')} "
            f"read, {len(found.damage)} damaged"
        )
        if found.requeued:
            lines.append(
                f"{counted(len(found.requeued), 'shard')} re-queued; run the same {found.command} "
                "command again to redo them"
            )
        elif found.damage:
            lines.append("dfsynth verify --repair re-queues the damaged shards")
        console.result(found, "\n".join(lines))
        if found.damage:
            raise typer.Exit(ExitStatus.FAILURE)


def _place(shard: int | None, image_id: str | None) -> str:
    if shard is None:
        return "metadata"
    return f"shard {shard}, {image_id or 'all of it'}"
