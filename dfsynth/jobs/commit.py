"""Committing a shard: its rows in order, then the manifest part that makes them count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dfsynth.files.durable import write_durably
from dfsynth.manifest import ManifestSchema, encode_part
from dfsynth.progress import Progress
from dfsynth.records import ManifestRow, PairRow
from dfsynth.store import ArraySpec, EncodedRow, StoreLayout, format_of


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


def _tally(rows: Sequence[ManifestRow | PairRow]) -> Tally:
    failed = sum(row.status == "failed" for row in rows)
    return Tally(len(rows) - failed, failed)
