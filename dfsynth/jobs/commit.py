"""Committing a shard: its rows in order, then the manifest part that makes them count.

A committed shard may be written once more, with some of its rows made anew. The values of the
others stay the same, bit for bit, so that the array files can be replaced one after the other under
the part that is there: whatever it calls ok reads as it says, at any moment. A mark in `run/`
stands for what may differ meanwhile, rows that the part still calls failed (docs/decisions/0018).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dfsynth.counted_nouns import counted
from dfsynth.errors import StoreError
from dfsynth.files.durable import make_folder, remove_durably, write_durably
from dfsynth.files.faults import is_there
from dfsynth.jobs.failure_counts import note_failures
from dfsynth.jobs.stages import WRITE
from dfsynth.jobs.store_card import withdraw_card
from dfsynth.manifest import ManifestSchema, encode_part
from dfsynth.progress import Progress
from dfsynth.records import ManifestRow, PairRow
from dfsynth.store import ArraySpec, EncodedRow, ShardWriter, StoreLayout, format_of
from dfsynth.store.cut import Cut
from dfsynth.threads.activity import Activity


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows of a run ended in which way."""

    ok: int
    failed: int


@dataclass(frozen=True, slots=True)
class Written:
    """A row on its way into its shard."""

    row: ManifestRow | PairRow
    encoded: EncodedRow | None
    """None where the row failed."""
    kept: bool = False
    """Whether an earlier run made it."""


@dataclass(frozen=True, slots=True)
class ShardStore:
    """Where the rows of a shard go, and to whom progress is reported."""

    layout: StoreLayout
    specs: tuple[ArraySpec, ...]
    cut: Cut
    schema: ManifestSchema
    progress: Progress
    activity: Activity = field(default_factory=Activity)


def commit_shard(
    store: ShardStore,
    shard: int,
    rows: Iterable[Written],
    stopped: Callable[[], bool] = lambda: False,
) -> Tally:
    """Writes the shard's maps, then its manifest part, which commits it.

    Left by an exception, nothing changes but what the next run clears away.

    Args:
        store: Where to.
        shard: Its number.
        rows: All rows of the shard, in order; those that there are, where the run was stopped.
            They are then kept for the next run, and the shard is not committed.
        stopped: Asked once the rows have ended: whether they may be too few.

    Raises:
        StoreError: rows are missing or too many, one does not fit the schema, or the disk refuses.
    """
    layout, planned = store.layout, len(store.cut.rows_of(shard))
    _make_folders(store, shard)
    with format_of(layout).shard_writer(layout, store.specs, shard) as writer:
        written = list(_append(store, writer, rows))
        whole = len(written) == planned
        if not whole and not stopped():
            raise StoreError(
                f"shard {shard} cannot be committed: found {len(written)} of "
                f"{counted(planned, 'row')} made, expected all"
            )
        if all(entry.kept for entry in written):
            return Tally(0, 0)
        for index in range(len(written), store.specs[0].rows_of(shard)):
            writer.skip(index)
        with store.activity.doing(WRITE, f"shard {shard}"):
            _publish(store, shard, writer, [entry.row for entry in written], whole)
    return _tally(written)


def _publish(
    store: ShardStore,
    shard: int,
    writer: ShardWriter,
    rows: Sequence[ManifestRow | PairRow],
    whole: bool,
) -> None:
    """Puts the files of a shard in place, that which makes them count last."""
    layout = store.layout
    data = encode_part(rows, store.schema)
    if is_there(layout.part(shard)):
        withdraw_card(layout)
        _write(store, layout.replacing(shard), shard, b"")
    writer.commit()
    _write(store, layout.part(shard) if whole else layout.partial(shard), shard, data)
    if whole:
        remove_durably([layout.partial(shard), layout.replacing(shard)])
        note_failures(layout, store.cut.shards, shard, rows)


def _make_folders(store: ShardStore, shard: int) -> None:
    """Those that somebody removed, or a program that copies no empty ones left out."""
    names = [spec.name for spec in store.specs]
    for path in format_of(store.layout).shard_files(store.layout, names, shard):
        make_folder(path.parent)


def _append(store: ShardStore, writer: ShardWriter, rows: Iterable[Written]) -> Iterator[Written]:
    for index, entry in enumerate(rows):
        with store.activity.doing(WRITE, entry.row.image_id):
            if entry.encoded is None:
                writer.skip(index)
            else:
                writer.append(index, entry.encoded)
        if not entry.kept:
            failed = entry.row.status == "failed"
            store.progress.advance(ok=not failed, failed=failed)
        yield replace(entry, encoded=None)


def _write(store: ShardStore, target: Path, shard: int, data: bytes) -> None:
    write_durably(target, data, store.layout.scratch, store.layout.owner(shard))


def _tally(rows: Sequence[Written]) -> Tally:
    made = [entry.row.status for entry in rows if not entry.kept]
    return Tally(made.count("ok"), made.count("failed"))
