"""A store as a store of another format: equal values, manifest, plan and provenance.

Shards are claimed, written and committed as a build does it, so any number of processes may export
at once, and the same command goes on where it was killed. What lies there is a store like any
other: the command that made the first one finishes it too.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from dfsynth.errors import ImageError, StoreError, UsageError
from dfsynth.files.durable import remove_durably, write_durably
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import RunLock
from dfsynth.jobs.claims import Claims
from dfsynth.jobs.commit import Tally
from dfsynth.jobs.engine import Work, report_run, run_claimed
from dfsynth.jobs.exporter import ExportReport
from dfsynth.jobs.planning import Draft, plan_or_resume
from dfsynth.jobs.store_card import finish_card, withdraw_card
from dfsynth.manifest import read_part
from dfsynth.options import ExportOptions
from dfsynth.progress import Progress
from dfsynth.store import ArrayReader, EncodedRow, StoreFormat, StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.checksum import damage
from dfsynth.store.pairs_record import PairsRecord
from dfsynth.store.plan import read_plan
from dfsynth.store.provenance import name_differences
from dfsynth.store.record import read_record
from dfsynth.threads.pool import available_cores, thread_pool
from dfsynth.threads.prefetch import Prefetch

Record: TypeAlias = BuildRecord | PairsRecord


@dataclass(frozen=True, slots=True)
class StoreExporter:
    """The `Exporter` to stores of one format."""

    format: StoreFormat

    def __call__(self, options: ExportOptions, progress: Progress) -> ExportReport:
        """See `Exporter`.

        Raises:
            UsageError, ConflictError, StoreError: see `Exporter`.
        """
        started = time.monotonic()
        self._require_whole(options)
        source, target = StoreLayout(options.store), StoreLayout(options.out)
        record = read_record(source.build)
        self._require_target(source, target)
        job = _CopyJob(source, record.packed(self.format.compression), options.overwrite)
        with plan_or_resume(job, target, progress) as planned:
            committed = source.committed_shards()
            _drop_outdated(source, target, planned.lock)
            claims = Claims(target, planned.lock, record, range(record.shards))
            claims.pending = [shard for shard in claims.pending if shard in committed]
            copy = _Copy(self.format, source, target, record, progress)
            progress.start(sum(len(record.cut.rows_of(shard)) for shard in claims.pending))
            tally = copy.run(claims)
            finish_card(target, planned.lock)
            report = report_run(
                Work(target, planned.record, (0, 1), planned.resumed, started), tally
            )
        return ExportReport(
            store=str(source.root),
            out=report.store,
            to=self.format.name,
            rows=report.rows,
            shards=report.shards,
            pending=report.shards - len(committed),
            shards_done=report.shards_done,
            ok=report.ok,
            failed=report.failed,
            elsewhere=report.elsewhere,
            seconds=report.seconds,
            resumed=report.resumed,
        )

    def _require_whole(self, options: ExportOptions) -> None:
        """Requires options that leave the store as it is.

        Raises:
            UsageError: they do not.
        """
        reasons = {
            "--where": (
                options.where,
                "a store keeps every row of its plan, so that its build can go on; write kept "
                "rows with dfsynth filter, or export them as files",
            ),
            "--space source": (
                options.space == "source" or None,
                "the arrays of a store have one size; export files, or use Store.to_source",
            ),
            "--dtype": (options.dtype, "the values stay as they are; leave it out"),
        }
        for option, (given, reason) in reasons.items():
            if given is not None:
                raise UsageError(f"{option} does not go with --to {self.format.name}: {reason}")

    def _require_target(self, source: StoreLayout, target: StoreLayout) -> None:
        """Requires a name of this format, and another store.

        Raises:
            UsageError: it is not.
        """
        if format_of(target) is not self.format:
            endings = " or ".join(sorted(self.format.suffixes))
            raise UsageError(
                f"--out {target.root}: expected a name that ends in {endings} for --to "
                f"{self.format.name}"
            )
        if target.root.resolve() == source.root.resolve():
            raise UsageError(f"--out {target.root} is the store itself; choose another name")


@dataclass(frozen=True, slots=True)
class _CopyJob:
    """Implements `dfsynth.jobs.planning.Job`: the plan that the store has, taken over."""

    source: StoreLayout
    record: Record
    overwrite: bool

    @property
    def record_type(self) -> type[Record]:
        return type(self.record)

    def draft(self) -> Draft[Record]:
        return Draft(self.record, read_plan(self.source.plan, self.record.cut), ())

    def differences(self, held: Record) -> list[str]:
        """See `Job`: every entry of the record, since the plan is one and the same."""
        entries = (json.loads(record.to_json()) for record in (held, self.record))
        return name_differences(*({**e, **e.pop("fingerprint")} for e in entries))


_Encoded: TypeAlias = EncodedRow | StoreError | None
"""A row for the new store, what is wrong with it, or none where it failed."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the manifest, as far as copying goes."""

    shard: int
    row: int
    image_id: str
    checksum: str | None
    """Of the stored values; None where the row failed."""


@dataclass(frozen=True, slots=True)
class _Copy:
    """The copying of one store's shards."""

    format: StoreFormat
    source: StoreLayout
    target: StoreLayout
    record: Record
    """Of the source."""
    progress: Progress

    def run(self, claims: Claims) -> Tally:
        """Copies the claimed shards, a few rows ahead in threads.

        Raises:
            StoreError: a row is damaged, or the disk refuses.
        """
        if not claims.pending:
            return Tally(0, 0)
        workers = available_cores()
        arrays = format_of(self.source).array_reader(self.source, self.record.arrays)
        rows = (row for shard in claims for row in self._rows(shard))
        with thread_pool("export", workers) as pool:
            encoded = Prefetch[_Row, _Encoded](
                pool, lambda row: self._encode(arrays, row), rows, 2 * workers
            )
            return run_claimed(claims, encoded, self._commit)

    def _rows(self, shard: int) -> list[_Row]:
        columns = ["row", "image_id", "status", "checksum"]
        table = read_part(self.source.part(shard), self.record.manifest_schema).select(columns)
        if table["row"].to_pylist() != list(self.record.cut.rows_of(shard)):
            raise damage(str(self.source.part(shard)), "it does not hold the rows of the plan")
        return [_row(shard, line) for line in table.to_pylist()]

    def _encode(self, arrays: ArrayReader, row: _Row) -> _Encoded:
        """The row in the new format, once its values are known to be those that were written.

        Damage is given back, for the shard before to be committed first.
        """
        if row.checksum is None:
            return None
        try:
            maps = {name: arrays.read(name, row.row) for name in arrays.names}
            encoded = self.format.encode_row(arrays.specs, maps)
        except (StoreError, ImageError) as error:
            return self._damaged(row, str(error))
        if encoded.checksum != row.checksum:
            return self._damaged(row, "the stored values are not those written")
        return encoded

    def _damaged(self, row: _Row, found: str) -> StoreError:
        return damage(f"image {row.image_id!r} of {self.source.root}", found)

    def _commit(self, shard: int, rows: Iterator[tuple[_Row, _Encoded]]) -> Tally:
        """Arrays first, then the manifest part, byte for byte."""
        part, owner = _read_bytes(self.source, shard), self.target.owner(shard)
        tally = self._write_arrays(shard, (_intact(row) for _, row in rows))
        write_durably(self.target.part(shard), part, self.target.scratch, owner)
        return tally

    def _write_arrays(self, shard: int, rows: Iterable[EncodedRow | None]) -> Tally:
        """Puts the array files in place; what is behind the planned rows stays without values."""
        specs, ok, failed = self.record.arrays, 0, 0
        with self.format.shard_writer(self.target, specs, shard) as writer:
            for index, row in enumerate(rows):
                if row is None:
                    writer.skip(index)
                else:
                    writer.append(index, row)
                ok, failed = ok + (row is not None), failed + (row is None)
                self.progress.advance(ok=row is not None, failed=row is None)
            for index in range(ok + failed, specs[0].rows_of(shard)):
                writer.skip(index)
            writer.commit()
        return Tally(ok, failed)


def _intact(row: _Encoded) -> EncodedRow | None:
    if isinstance(row, StoreError):
        raise row
    return row


def _row(shard: int, line: Mapping[str, Any]) -> _Row:
    checksum = line["checksum"] if line["status"] == "ok" else None
    return _Row(shard, line["row"], line["image_id"], checksum)


def _drop_outdated(source: StoreLayout, target: StoreLayout, lock: RunLock) -> None:
    """Takes back shards that the source has written anew since they were exported.

    Raises:
        StoreError: the disk refuses.
    """
    locking = lock.supported()
    for shard in sorted(source.committed_shards() & target.committed_shards()):
        if _read_bytes(source, shard) == _read_bytes(target, shard):
            continue
        if not locking or lock.try_shard(shard):
            withdraw_card(target)
            remove_durably([target.part(shard)])
            if locking:
                lock.release_shard(shard)


def _read_bytes(layout: StoreLayout, shard: int) -> bytes:
    path = layout.part(shard)
    with store_faults(f"read {path}"):
        return path.read_bytes()
