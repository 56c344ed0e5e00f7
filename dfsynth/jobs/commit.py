"""What every job does with its shards: rows in order, then the part that commits them."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol, TypeVar

from dfsynth.files.durable import write_durably
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.planning import Planned
from dfsynth.manifest import ManifestSchema, encode_part
from dfsynth.progress import Progress
from dfsynth.records import ManifestRow, PairRow
from dfsynth.store import ArraySpec, EncodedRow, StoreLayout, format_of
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
    """Shards of this process's share that another process was working on."""
    seconds: float
    """Wall-clock time of the run."""
    resumed: bool
    """Whether the store was planned before."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """Inputs that were not planned, by reason."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows ended in which way."""

    ok: int
    failed: int


@dataclass(frozen=True, slots=True)
class Written:
    """A row on its way into its shard."""

    row: ManifestRow | PairRow
    encoded: EncodedRow | None
    """None where the row failed."""


@dataclass(frozen=True, slots=True)
class ShardStore:
    """Where the rows of a shard go, and to whom progress is reported."""

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]
    schema: ManifestSchema
    progress: Progress


def commit_shard(store: ShardStore, shard: int, rows: Iterable[Written]) -> Tally:
    """Writes the shard's maps, then its manifest part, which commits it.

    `rows` are all rows of the shard in order. Left by an exception, nothing of the shard remains
    but what the next run clears away.

    Raises:
        StoreError: rows are missing or too many, one does not fit the schema, or the disk refuses.
    """
    written: list[ManifestRow | PairRow] = []
    open_writer = format_of(store.layout).shard_writer
    with open_writer(store.layout, store.specs, shard) as writer:
        for index, entry in enumerate(rows):
            if entry.encoded is None:
                writer.skip(index)
            else:
                writer.append(index, entry.encoded)
            written.append(entry.row)
            failed = entry.row.status == "failed"
            store.progress.advance(ok=not failed, failed=failed)
        writer.commit()
    part = store.layout.part(shard)
    data = encode_part(written, store.schema)
    write_durably(part, data, store.layout.scratch, store.layout.owner(shard))
    return _tally(written)


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


def _tally(rows: Sequence[ManifestRow | PairRow]) -> Tally:
    failed = sum(row.status == "failed" for row in rows)
    return Tally(len(rows) - failed, failed)
