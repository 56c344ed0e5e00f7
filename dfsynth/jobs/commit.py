"""Committing a shard: its rows in order, then the manifest part that makes them count."""

from collections.abc import Iterable, Iterator, Sequence
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

    def encoded() -> Iterator[EncodedRow | None]:
        for entry in rows:
            written.append(entry.row)
            yield entry.encoded

    tally = write_arrays(store.layout, store.specs, shard, encoded(), store.progress)
    part = store.layout.part(shard)
    data = encode_part(written, store.schema)
    write_durably(part, data, store.layout.scratch, store.layout.owner(shard))
    return tally


def write_arrays(
    layout: StoreLayout,
    specs: Sequence[ArraySpec],
    shard: int,
    rows: Iterable[EncodedRow | None],
    progress: Progress,
) -> Tally:
    """Puts the array files of a shard in place: all its rows in order, None where one failed.

    Raises:
        StoreError: rows are missing or too many, or the disk refuses.
    """
    ok = failed = 0
    with format_of(layout).shard_writer(layout, specs, shard) as writer:
        for index, row in enumerate(rows):
            if row is None:
                writer.skip(index)
            else:
                writer.append(index, row)
            ok, failed = ok + (row is not None), failed + (row is None)
            progress.advance(ok=row is not None, failed=row is None)
        writer.commit()
    return Tally(ok, failed)
