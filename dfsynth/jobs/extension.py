"""Inputs that appeared since a store was planned: noticed cheaply, and taken into new shards."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dfsynth.counted_nouns import counted
from dfsynth.errors import ConflictError, UsageError
from dfsynth.files.durable import replacing, write_durably
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import RunLock
from dfsynth.files.row_spool import RowSpool
from dfsynth.jobs.build_planning import BuildJob
from dfsynth.jobs.known_ids import KnownIds
from dfsynth.jobs.planning import find_planned
from dfsynth.jobs.store_card import withdraw_card
from dfsynth.progress import Progress
from dfsynth.source import Source
from dfsynth.source.schema import Listing
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.layout import PLAN_OWNER
from dfsynth.store.plan import NumberedRows, read_plan, read_planned_ids, write_plan

_TRIED_GROUPS: Final = 16
"""Row groups of the plan whose folders are looked at: a million rows of the largest plans."""


@dataclass(frozen=True, slots=True)
class NewInputs:
    """What a source lists and a plan does not hold."""

    rows: RowSpool
    """Their lines of the listing, in its order."""
    gone: int
    """Inputs of the plan that the source lists no more."""


def extend_store(job: BuildJob, layout: StoreLayout, progress: Progress) -> None:
    """Plans the inputs that a store lacks, in shards behind those that there are.

    No row that is planned moves, and no file of a shard is touched. The plan is replaced whole,
    then the record, which makes the rows count, then the documents of the arrays; cut off in
    between, the next build writes these anew. Where there is no store yet, nothing is done.

    Raises:
        UsageError: the store was planned with --limit, or the source cannot be listed.
        ConflictError: other options than the store's, or another process is at work on it.
        StoreError: the disk refuses.
    """
    if find_planned(job, layout) is None:
        return
    listing = job.source.listing()
    layout.make_folders()
    with RunLock(layout.lock) as lock:
        if lock.supported() and not lock.try_whole():
            raise ConflictError(
                f"{layout.root} is not extended: another process is at work on it; wait until it "
                "has ended"
            )
        record = find_planned(job, layout)
        if record is None:
            return
        found = compare_listing(listing.rows, layout, record)
        if found.gone:
            progress.message(
                f"{counted(found.gone, 'planned input is', 'planned inputs are')} no longer "
                "listed; what was planned stays"
            )
        if not found.rows.num_rows:
            progress.message("no inputs appeared since the store was planned")
            return
        _require_no_limit(record)
        _write_extension(layout, record, found.rows, listing)
    progress.message(f"{counted(found.rows.num_rows, 'input')} appeared, planned in new shards")


def _write_extension(
    layout: StoreLayout, record: BuildRecord, fresh: RowSpool, listing: Listing
) -> None:
    cut = record.cut.extended(fresh.num_rows)
    held = read_plan(layout.plan, record.cut)
    added = NumberedRows(fresh, cut.shard_size, None, record.cut.shards)
    extended = replace(
        record,
        rows=cut.rows,
        shards=cut.shards,
        segments=cut.segments,
        excluded=dict(listing.excluded),
    )
    withdraw_card(layout)
    with replacing(layout.plan, layout.scratch, PLAN_OWNER) as stream:
        write_plan(_one_after_the_other(held, added), stream, cut)
    write_durably(layout.build, extended.to_json(), layout.scratch, PLAN_OWNER)
    format_of(layout).write_group(layout, extended.arrays, extended.attributes())


def _one_after_the_other(
    held: Iterator[pa.RecordBatch], added: NumberedRows
) -> Iterator[pa.RecordBatch]:
    """The lines of a plan, then more of them in the columns that it has."""
    first = next(held)
    yield from chain([first], held)
    for batch in added:
        yield batch.select(first.schema.names).cast(first.schema)


def compare_listing(listed: RowSpool, layout: StoreLayout, record: BuildRecord) -> NewInputs:
    """Which lines of a listing are not in a plan, and how many of the plan are not in it, by id.

    Raises:
        StoreError: the plan is damaged.
    """
    known = KnownIds(read_planned_ids(layout.plan, record.cut))
    fresh = RowSpool(listed.schema)
    for batch in listed.batches():
        fresh.append(batch.filter(pa.array(known.unknown(batch["image_id"]))))
    return NewInputs(fresh, len(known) - (listed.num_rows - fresh.num_rows))


def tell_new_inputs(
    source: Source, layout: StoreLayout, record: BuildRecord, progress: Progress
) -> int:
    """How many inputs appeared since planning, said in a line; 0 where nothing hints at any.

    The source is listed only where a table, an archive or a folder of it changed after the plan was
    written.

    Raises:
        StoreError: the plan is damaged.
    """
    if record.fingerprint.limit is not None or not _has_changed(source, layout):
        return 0
    try:
        listed = source.listing().rows
    except UsageError as error:
        progress.message(f"inputs that appeared since planning are not looked for: {error}")
        return 0
    fresh = compare_listing(listed, layout, record).rows
    if fresh.num_rows:
        first = next(fresh.batches(["image_id"]))["image_id"][0].as_py()
        progress.message(
            f"{counted(fresh.num_rows, 'input')} appeared since the store was planned, the first "
            f"of them {first!r}: not in it; --extend takes what appeared into new shards"
        )
    return int(fresh.num_rows)


def _require_no_limit(record: BuildRecord) -> None:
    limit = record.fingerprint.limit
    if limit is not None:
        raise UsageError(
            f"--extend: the store was planned with --limit {limit}, so that nobody knows which "
            "inputs are new; plan another store, without a limit"
        )


def _has_changed(source: Source, layout: StoreLayout) -> bool:
    """Whether anything that inputs are added to changed after the plan was written."""
    with store_faults(f"look at {layout.plan}"):
        planned_ns = layout.plan.stat().st_mtime_ns
    return any(_changed_ns(path) > planned_ns for path in _watched(source, layout))


def _watched(source: Source, layout: StoreLayout) -> Iterator[Path]:
    for path in source.watched:
        yield path
        if path.is_dir():
            for folder in _planned_folders(layout.plan):
                yield path / folder


def _planned_folders(plan: Path) -> set[PurePosixPath]:
    """The folders of planned inputs, relative to the root, and those that hold them."""
    file = pq.ParquetFile(plan)
    groups = range(0, file.num_row_groups, max(file.num_row_groups // _TRIED_GROUPS, 1))
    uris = file.read_row_groups(list(groups), columns=["uri"])["uri"]
    folders = pc.unique(pc.replace_substring_regex(uris, r"/?[^/]*$", ""))
    found = {PurePosixPath(str(folder)) for folder in folders.to_pylist()}
    return found | {parent for folder in found for parent in folder.parents}


def _changed_ns(path: Path) -> int:
    """When a file or a folder changed; 0 where it is gone, which adds nothing."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
