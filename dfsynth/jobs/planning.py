"""Makes a store's plan, or finds the one that is there and checks that it is the same job."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import pyarrow as pa

from dfsynth.errors import ConflictError
from dfsynth.files.durable import remove_durably, replacing, write_durably
from dfsynth.files.faults import is_there
from dfsynth.files.locks import RunLock
from dfsynth.jobs.store_documents import are_documents_current, documents_held, mend_documents
from dfsynth.progress import Progress
from dfsynth.store import RootState, StoreLayout, clear_store, examine_root, format_of
from dfsynth.store.layout import PLAN_OWNER
from dfsynth.store.plan import write_plan
from dfsynth.store.record import StoreRecord, read_record

_POLL_S: Final = 0.1

Record = TypeVar("Record", bound=StoreRecord)


@dataclass(frozen=True, slots=True)
class Draft(Generic[Record]):
    """A plan that nothing is written of yet."""

    record: Record
    plan: Iterable[pa.RecordBatch]
    """One line for each input of the store, in order; made as they are asked for."""
    warnings: tuple[str, ...]
    """One line for each oddity of the inputs."""


class Job(Protocol[Record]):
    """What a command wants of a store: how to plan it, and whether one that is there will do."""

    @property
    def overwrite(self) -> bool:
        """Whether a store that is there is to be removed."""

    @property
    def record_type(self) -> type[Record]:
        """Of the stores that the command makes."""

    def draft(self) -> Draft[Record]:
        """Lists what there is to do; writes nothing.

        Raises:
            UsageError: nothing to do, or options that cannot be served.
        """

    def differences(self, held: Record) -> list[str]:
        """One sentence part for each thing that decides values and is not as the store has it."""


@dataclass(frozen=True, slots=True)
class Planned(Generic[Record]):
    """A store that is planned, and this process's locks on it."""

    layout: StoreLayout
    lock: RunLock
    record: Record
    resumed: bool


@contextmanager
def plan_or_resume(
    job: Job[Record], layout: StoreLayout, progress: Progress
) -> Iterator[Planned[Record]]:
    """The planned store; its locks are given back when the context ends.

    A resume takes the plan that is there as it is and lists nothing. Nothing is written before the
    listing is known to hold images.

    Raises:
        ConflictError: `--out` holds something else, or was made with other options.
        UsageError: no images, or a wrong option.
        StoreError: the disk refuses.
    """
    resumes = find_planned(job, layout) is not None
    draft = None if resumes else job.draft()
    # Of a store, too: a program that copies no empty folders leaves some out.
    layout.make_folders()
    with RunLock(layout.lock) as lock:
        if draft is not None:
            resumes = not _write_plan_once(job, layout, lock, draft, progress)
        # Asked again: another process may have planned something else in the meantime.
        record = _read_own(job, layout)
        if not are_documents_current(layout, record):
            with documents_held(layout, lock, progress):
                # And again: whoever held the lock may have extended the plan, or made another.
                record = _read_own(job, layout)
                mend_documents(layout, record)
        yield Planned(layout, lock, record, resumes)


def find_planned(job: Job[Record], layout: StoreLayout) -> Record | None:
    """The record of the store at `--out` that this job goes on with; None where it plans anew.

    Raises:
        ConflictError: it holds something else, or a store made with other options.
        StoreError: it cannot be looked at.
    """
    state = examine_root(layout)
    if state is RootState.NOT_A_STORE:
        raise ConflictError(
            f"--out {layout.root} exists and is no dfsynth store; choose another name"
        )
    if state is not RootState.STORE or job.overwrite:
        return None
    return _read_own(job, layout)


def is_finished(layout: StoreLayout, record: StoreRecord, partition: tuple[int, int]) -> bool:
    """Whether a share of a store is committed, and nothing of it half replaced; takes no lock.

    Raises:
        StoreError: the store cannot be read.
    """
    index, count = partition
    if not is_there(layout.manifest):
        return False
    undone = set(range(index, record.shards, count)) - layout.committed_shards()
    return not undone and not layout.replaced_shards()


def _read_own(job: Job[Record], layout: StoreLayout) -> Record:
    """The record of a store that this command made, with the same options.

    Raises:
        ConflictError: anything that decides values differs; all differences are named.
    """
    record = read_record(layout.build)
    if not isinstance(record, job.record_type):
        raise ConflictError(
            f"{layout.root} was made by {record.command}, not by {job.record_type.command}; "
            "choose another --out, or start anew with --overwrite"
        )
    differences = job.differences(record)
    if differences:
        raise ConflictError(
            f"{layout.root} was made with other options ({'; '.join(differences)}); "
            "repeat the first command, choose another --out, or start anew with --overwrite"
        )
    return record


def _write_plan_once(
    job: Job[Record], layout: StoreLayout, lock: RunLock, draft: Draft[Record], progress: Progress
) -> bool:
    """Writes the plan under the whole lock; False where another process was faster.

    Waits by asking again, not for the lock: the other process goes on to hold shards of the
    store once it has planned it.
    """
    locking = lock.supported()
    while locking and not lock.try_whole():
        if job.overwrite:
            raise ConflictError(
                f"{layout.root} is not overwritten: another process is at work on it"
            )
        if examine_root(layout) is RootState.STORE:
            return False
        time.sleep(_POLL_S)
    try:
        if examine_root(layout) is RootState.STORE and not job.overwrite:
            return False
        clear_store(layout)
        for warning in draft.warnings:
            progress.message(warning)
        _write_draft(layout, draft)
        return True
    finally:
        if locking:
            lock.release_whole()


def _write_draft(layout: StoreLayout, draft: Draft[Record]) -> None:
    """Group, plan, and last the build record, which makes the folder a store.

    First of all a mark, by which whoever finds this killed knows that the files are ours.
    """
    layout.make_folders()
    write_durably(layout.planning, b"", layout.scratch, PLAN_OWNER)
    format_of(layout).write_group(layout, draft.record.arrays, draft.record.attributes())
    with replacing(layout.plan, layout.scratch, PLAN_OWNER) as stream:
        write_plan(draft.plan, stream, draft.record.cut)
    write_durably(layout.build, draft.record.to_json(), layout.scratch, PLAN_OWNER)
    remove_durably([layout.planning])
