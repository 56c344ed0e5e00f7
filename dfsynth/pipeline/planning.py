"""Makes a store's plan, or finds the one that is there and checks that it is the same job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from dfsynth.config import BuildOptions
from dfsynth.errors import ConflictError, UsageError
from dfsynth.pipeline.generator import GeneratorMaker
from dfsynth.pipeline.plan import number_rows, write_plan
from dfsynth.pipeline.progress import Progress
from dfsynth.pipeline.record import (
    COMPRESSION,
    BuildRecord,
    Fingerprint,
    new_record,
    read_record,
)
from dfsynth.source import Source
from dfsynth.store import (
    ArraySpec,
    RootState,
    RunLock,
    StoreLayout,
    clear_store,
    examine_root,
    replacing,
    write_durably,
    write_group,
)

_OWNER: Final = "plan"
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Planned:
    """A store that is planned, and this process's locks on it."""

    layout: StoreLayout
    lock: RunLock
    record: BuildRecord
    resumed: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that nothing is written of yet."""

    record: BuildRecord
    plan: pa.Table
    warnings: tuple[str, ...]


@contextmanager
def plan_or_resume(
    options: BuildOptions,
    layout: StoreLayout,
    source: Source,
    maker: GeneratorMaker,
    progress: Progress,
) -> Iterator[Planned]:
    """The planned store; its locks are given back when the context ends.

    A resume trusts the plan that is there and lists nothing. Nothing is written before the
    listing is known to hold images.

    Raises:
        ConflictError: `--out` holds something else, or was made with other options.
        UsageError: no images, or a wrong option.
        StoreError: the disk refuses.
    """
    resumes = refuse_conflict(options, layout, source, maker)
    draft = None if resumes else draft_plan(options, source, maker)
    if draft is not None:
        layout.make_folders()
    with RunLock(layout.lock) as lock:
        if draft is not None:
            resumes = not _write_plan_once(options, layout, lock, draft, progress)
        record = read_record(layout.build)
        if resumes:
            # Asked again: another process may have planned something else in the meantime.
            check_same_job(options, source, maker, record)
        yield Planned(layout, lock, record, resumes)


def refuse_conflict(
    options: BuildOptions, layout: StoreLayout, source: Source, maker: GeneratorMaker
) -> bool:
    """Whether `--out` holds a store that these options go on with.

    Raises:
        ConflictError: it holds something else, or a store made with other options.
        StoreError: it cannot be looked at.
    """
    state = examine_root(layout)
    if state is RootState.FOREIGN:
        raise ConflictError(
            f"--out {layout.root} exists and is no dfsynth store; choose another folder"
        )
    if state is not RootState.STORE or options.overwrite:
        return False
    check_same_job(options, source, maker, read_record(layout.build))
    return True


def draft_plan(options: BuildOptions, source: Source, maker: GeneratorMaker) -> Draft:
    """Lists the source and numbers its rows; writes nothing.

    Raises:
        UsageError: no images, or options that the checkpoint or the device cannot serve.
    """
    fingerprint = wanted_fingerprint(
        options, source, maker, maker.resolve_precision(options.precision)
    )
    if "lung" in options.maps and not maker.facts.has_lung:
        raise UsageError(f"--maps lung: the checkpoint {maker.facts.name} has no lung output")
    listing = source.listing()
    plan = number_rows(listing.table, options.shard_size, options.limit)
    excluded = dict(listing.excluded)
    if plan.num_rows < listing.table.num_rows:
        excluded["over_limit"] = listing.table.num_rows - plan.num_rows
    shards = -(-plan.num_rows // options.shard_size)
    record = new_record(fingerprint, maker.facts, source.licence, plan.num_rows, shards, excluded)
    return Draft(record, plan, listing.warnings)


def wanted_fingerprint(
    options: BuildOptions, source: Source, maker: GeneratorMaker, precision: str
) -> Fingerprint:
    """What these options would decide about the values of a store."""
    return Fingerprint(
        source=source.name,
        checkpoint_sha256=maker.facts.sha256,
        size=options.size or maker.facts.grid,
        mc_samples=options.mc_samples,
        seed=options.seed,
        precision=precision,
        maps=options.maps,
        dtype=options.dtype,
        compression=COMPRESSION,
        shard_size=options.shard_size,
        limit=options.limit,
    )


def check_same_job(
    options: BuildOptions, source: Source, maker: GeneratorMaker, record: BuildRecord
) -> None:
    """A store is only continued with the options it was made with.

    `--precision auto` takes what the store has: a machine that resolves it otherwise can still
    finish the store.

    Raises:
        ConflictError: anything that decides values differs; all differences are named.
    """
    held = record.fingerprint
    precision = held.precision if options.precision == "auto" else options.precision
    wanted = wanted_fingerprint(options, source, maker, precision)
    differences = held.differences(wanted)
    if differences:
        raise ConflictError(
            f"{options.out} was made with other options ({'; '.join(differences)}); "
            "repeat the first command, choose another --out, or start anew with --overwrite"
        )


def array_specs(record: BuildRecord) -> tuple[ArraySpec, ...]:
    """The arrays of a store."""
    held = record.fingerprint
    height, width = held.size
    return tuple(
        ArraySpec(name, held.dtype, record.rows, height, width, held.shard_size)
        for name in held.maps
    )


def _write_plan_once(
    options: BuildOptions, layout: StoreLayout, lock: RunLock, draft: Draft, progress: Progress
) -> bool:
    """Writes the plan under the whole lock; False where another process was faster.

    Waits by asking again, not for the lock: the other process goes on to hold shards of the
    store once it has planned it.
    """
    locking = lock.supported()
    while locking and not lock.try_whole():
        if options.overwrite:
            raise ConflictError(
                f"{layout.root} is not overwritten: another process is at work on it"
            )
        if examine_root(layout) is RootState.STORE:
            return False
        time.sleep(_POLL_S)
    try:
        if examine_root(layout) is RootState.STORE and not options.overwrite:
            return False
        clear_store(layout)
        for warning in draft.warnings:
            progress.message(warning)
        _write_draft(layout, draft)
        return True
    finally:
        if locking:
            lock.release_whole()


def _write_draft(layout: StoreLayout, draft: Draft) -> None:
    """Group, plan, and last the build record, which makes the folder a store."""
    layout.make_folders()
    write_group(layout, array_specs(draft.record), draft.record.attributes())
    with replacing(layout.plan, layout.scratch, _OWNER) as stream:
        write_plan(draft.plan, stream, draft.record.fingerprint.shard_size)
    write_durably(layout.build, draft.record.to_json(), layout.scratch, _OWNER)
