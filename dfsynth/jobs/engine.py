"""The engine of this process: one claimed shard after the other, and a report of what it did.

Any number of processes may run it on one store at the same time. An engine that spreads shards over
machines takes the place of `run_claimed`, and keeps claims and commits as they are.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, TypeVar

from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.planning import Planned
from dfsynth.store.record import StoreRecord


class InShard(Protocol):
    """A planned row, as far as its place goes."""

    @property
    def shard(self) -> int:
        """The shard that the row belongs to."""


Item = TypeVar("Item", bound=InShard)
Result = TypeVar("Result")
Record = TypeVar("Record", bound=StoreRecord)


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one process did."""

    store: str
    rows: int
    """Images, or pairs, of the whole store."""
    shards: int
    shards_done: int
    """Committed when this process ended, by whomever."""
    ok: int
    """Images, or pairs, that this process wrote."""
    failed: int
    """Those that this process could not make."""
    elsewhere: int
    """Shards of this process's partition that another process was working on."""
    seconds: float
    """Wall-clock time of the run."""
    resumed: bool
    """Whether the store was planned before."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Inputs that were not planned, by reason."""


def run_claimed(
    claims: Claims,
    outcomes: Iterable[tuple[Item, Result]],
    commit: Callable[[int, Iterator[tuple[Item, Result]]], Tally],
) -> Tally:
    """Commits shard after shard and gives each back.

    Args:
        claims: What hands out the shards.
        outcomes: Item and result of every row of the shards, in the order of the plan.
        commit: Writes one shard from its number and rows.

    Raises:
        StoreError: the disk refuses.
    """
    ok = failed = 0
    for shard, rows in groupby(outcomes, key=lambda pair: pair[0].shard):
        tally = commit(shard, rows)
        claims.release(shard)
        ok, failed = ok + tally.ok, failed + tally.failed
    return Tally(ok, failed)


def report_run(planned: Planned[Record], claims: Claims, tally: Tally, started: float) -> RunReport:
    """The report of a run that began at `started`, in seconds of `time.monotonic`.

    Raises:
        StoreError: the manifest's folder cannot be read.
    """
    return RunReport(
        store=str(planned.layout.root),
        rows=planned.record.rows,
        shards=planned.record.shards,
        shards_done=len(planned.layout.committed_shards()),
        ok=tally.ok,
        failed=tally.failed,
        elsewhere=len(claims.elsewhere),
        seconds=time.monotonic() - started,
        resumed=planned.resumed,
        excluded=planned.record.excluded,
    )
