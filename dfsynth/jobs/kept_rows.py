"""Rows of a shard that an earlier run has made, and that are not made again."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dfsynth.errors import StoreError
from dfsynth.files.faults import is_there
from dfsynth.jobs.commit import Written
from dfsynth.manifest import ManifestSchema, read_part, rows_of
from dfsynth.records import ManifestRow
from dfsynth.store import ArrayReader, ArraySpec, StoreFormat, StoreLayout


@dataclass(frozen=True, slots=True)
class KeptRows:
    """What a shard holds, and which of its rows are made anew."""

    held: Mapping[int, ManifestRow]
    """By row; all of them where the shard is committed."""
    redone: frozenset[int]
    """Of these: failed rows that are tried once more."""

    def keeps(self, row: int) -> bool:
        """Whether a row stays as it is."""
        return row in self.held and row not in self.redone


NOTHING_KEPT = KeptRows({}, frozenset())


def read_kept(
    layout: StoreLayout, schema: ManifestSchema, shard: int, codes: Collection[str] | None
) -> KeptRows:
    """What the shard's part holds, or what a stopped run has kept of it.

    Args:
        layout: Of the store.
        schema: Of its manifest.
        shard: The shard's number.
        codes: The error codes of the failed rows to make anew; None for none of them. A shard whose
            replacement was cut off has all its failed rows made anew.

    Raises:
        StoreError: the part is damaged, or the system refuses to look for it.
    """
    path = next((p for p in (layout.part(shard), layout.partial(shard)) if is_there(p)), None)
    if path is None:
        return NOTHING_KEPT
    held = {row.row: row for row in rows_of(read_part(path, schema))}
    cut_off = is_there(layout.replacing(shard))
    redone = (
        row.row
        for row in held.values()
        if row.status == "failed" and (cut_off or (codes is not None and row.error_code in codes))
    )
    return KeptRows(held, frozenset(redone))


@dataclass(frozen=True, slots=True)
class RowCopier:
    """Reads kept rows back from the arrays as they are to be written once more."""

    format: StoreFormat
    specs: tuple[ArraySpec, ...]
    arrays: ArrayReader

    def merge(
        self, kept: KeptRows, rows: Iterable[int], made: Iterable[Written]
    ) -> Iterator[Written]:
        """All `rows` in order, those that are not kept from `made`.

        Where `made` ends early, rows that were to be made anew stay as they are, and the first one
        that there is nothing of ends it.

        Raises:
            StoreError: a kept row is damaged.
        """
        rest = iter(made)
        for row in rows:
            entry = None if kept.keeps(row) else next(rest, None)
            if entry is None:
                if row not in kept.held:
                    return
                entry = self._copy(kept.held[row])
            yield entry

    def _copy(self, row: ManifestRow) -> Written:
        """A row as the store holds it; its values are those that its checksum was made of.

        Raises:
            StoreError: they are not.
        """
        if row.status == "failed":
            return Written(row, None, kept=True)
        maps = {name: self.arrays.read(name, row.row) for name in self.arrays.names}
        encoded = self.format.encode_row(self.specs, maps)
        if encoded.checksum != row.checksum:
            raise StoreError(
                f"row {row.row} ({row.image_id!r}) cannot be kept: found stored values that are "
                "not those written; run dfsynth verify with --repair, then this command again"
            )
        return Written(row, encoded, kept=True)
