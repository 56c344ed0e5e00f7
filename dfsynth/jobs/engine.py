"""The engine of this process: one claimed shard after the other, and a report of what it did.

Any number of processes may run it on one store at the same time. Where `dfsynth.jobs.workers`
spreads shards over processes and machines, each worker runs it on the shards that it is given.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, TypeVar

from dfsynth.jobs.claims import ShardQueue
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.failure_counts import count_failures
from dfsynth.jobs.stages import StageUse
from dfsynth.store import StoreLayout
from dfsynth.store.record import StoreRecord


class InShard(Protocol):
    """A planned row, as far as its place goes."""

    @property
    def shard(self) -> int:
        """The shard that the row belongs to."""


Item = TypeVar("Item", bound=InShard)
Result = TypeVar("Result")


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
    """Shards of this process's partition that are not committed: others are at work on them."""
    seconds: float
    """Wall-clock time of the run."""
    resumed: bool
    """Whether the store was planned before."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Inputs that were not planned, by reason."""
    committed: int = 0
    """Rows of this process's partition that are committed, whichever run wrote them."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Of these, the failed ones, by error code."""
    new_inputs: int = 0
    """Inputs that the source has now and the plan has not; 0 where nothing hints at any."""
    stalls: Mapping[str, float] = field(default_factory=dict)
    """Stages that stood still for long: for how many seconds at most."""
    stages: StageUse | None = None
    """What the time of a build went into; None where nothing was built, or others built it."""

    @property
    def nothing_made(self) -> bool:
        """Whether every row failed that this run tried, or that the partition has."""
        tried = self.failed > 0 and self.ok == 0
        return tried or 0 < self.committed == sum(self.failures.values())


def run_claimed(
    claims: ShardQueue,
    outcomes: Iterable[tuple[Item, Result]],
    commit: Callable[[int, Iterator[tuple[Item, Result]]], Tally],
    stopped: Callable[[], bool] = lambda: False,
) -> Tally:
    """Commits shard after shard and gives each back.

    Args:
        claims: What hands out the shards.
        stopped: Asked after each shard: whether the run is to end.
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
        if stopped():
            break
    return Tally(ok, failed)


def partition_shards(record: StoreRecord, partition: tuple[int, int]) -> range:
    """The shards of a share (I, N) of a store: every N-th from the I-th on."""
    index, count = partition
    return range(index, record.shards, count)


@dataclass(frozen=True, slots=True)
class Work:
    """What a process had before it: a store, and a share of its shards."""

    layout: StoreLayout
    record: StoreRecord
    partition: tuple[int, int]
    resumed: bool
    started: float
    """In seconds of `time.monotonic`."""

    @property
    def shards(self) -> range:
        """The shards of the share."""
        return partition_shards(self.record, self.partition)


def report_run(
    work: Work,
    tally: Tally,
    new_inputs: int = 0,
    stalls: Mapping[str, float] | None = None,
    stages: StageUse | None = None,
) -> RunReport:
    """The report of a run that ends now; see `RunReport` for the rest.

    Raises:
        StoreError: the manifest cannot be read.
    """
    layout, record = work.layout, work.record
    committed = layout.committed_shards()
    mine = [shard for shard in work.shards if shard in committed]
    failures: Counter[str] = Counter()
    for (shard, code), count in count_failures(layout).items():
        if shard in work.shards:
            failures[code] += count
    return RunReport(
        store=str(layout.root),
        rows=record.cut.inputs,
        shards=record.shards,
        shards_done=len(committed),
        ok=tally.ok,
        failed=tally.failed,
        elsewhere=len(work.shards) - len(mine),
        seconds=time.monotonic() - work.started,
        resumed=work.resumed,
        excluded=record.excluded,
        committed=sum(len(record.cut.rows_of(shard)) for shard in mine),
        failures=dict(failures),
        new_inputs=new_inputs,
        stalls=dict(stalls or {}),
        stages=stages,
    )
