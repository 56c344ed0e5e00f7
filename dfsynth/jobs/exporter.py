"""What an exporter is given, and what it says it did."""

from dataclasses import dataclass
from typing import Protocol

from dfsynth.options import ExportOptions
from dfsynth.progress import Progress


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What one process exported."""

    store: str
    out: str
    to: str
    rows: int
    """Images, or pairs, of the whole store."""
    shards: int
    pending: int
    """Shards that the store itself lacks yet: export again when they are there."""
    shards_done: int
    """Those whose images `out` holds, whoever wrote them."""
    ok: int
    """Images, or pairs, that this process wrote."""
    failed: int
    """Rows that failed in the store: kept as failed in a store, left out of files."""
    elsewhere: int
    """Shards that another process was at work on."""
    seconds: float
    """Wall-clock time."""
    resumed: bool
    """Whether `out` was begun before."""
    images: int | None = None
    """Images that `out` holds, whoever wrote them; null for a store."""
    left_out: int = 0
    """Finished rows that `where` did not let pass."""
    own_scale: int = 0
    """Of `ok`, images with a map beyond the common scale, which have another in their files."""


class Exporter(Protocol):
    """Writes what the committed shards of a store hold as something else."""

    def __call__(self, options: ExportOptions, progress: Progress) -> ExportReport:
        """Goes on where an earlier call stopped; generates nothing.

        Raises:
            UsageError: there is no store, or `out` does not suit what is written.
            ConflictError: `out` holds something else.
            StoreError: the store is damaged, or the disk refuses.
        """
