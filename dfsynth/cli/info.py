"""`dfsynth info`."""

from dfsynth.cli.options import Json, Quiet, StorePath, Verbose
from dfsynth.cli.session import session

EXAMPLE = "Example: dfsynth info nih-darkfield.zarr --json"


def info(
    store: StorePath, json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Say what a store holds: counts by status, shards done, provenance, size on disk."""
    with session(json, quiet, verbose) as talk:
        from dfsynth.cli.progress import format_bytes
        from dfsynth.pipeline.inspect import describe_store

        found = describe_store(store)
        status = found.status
        lines = [
            f"{found.store}: {found.shards_done} of {found.shards} shards done, "
            f"{format_bytes(found.size_bytes)}",
            f"{found.rows} inputs: {status['ok']} ok, {status['failed']} failed, "
            f"{status['pending']} pending",
        ]
        for title, counts in (
            ("failed", found.errors),
            ("flags", found.flags),
            ("not taken as images", found.excluded),
        ):
            if counts:
                listed = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
                lines.append(f"{title}: {listed}")
        lines += [f"{name}: {value}" for name, value in found.provenance.items()]
        talk.result(found, "\n".join(lines))
