"""Mends what a store says of itself when a run begins: the documents of its arrays, and its card.

Others may be at work on the store then. So it is done by one process at a time, which holds the
lock `DOCUMENTS` meanwhile: nobody plans, extends, finishes or repairs the store beside it, and
nobody takes its scratch files for those of a killed one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import DOCUMENTS, RunLock
from dfsynth.jobs.store_card import lacks_unfinished_card, write_unfinished_card
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout, format_of
from dfsynth.store.record import StoreRecord

_POLL_S: Final = 0.1
_POLLS_UNTIL_TOLD: Final = 20
"""Planning others do in less; a repair may take hours."""


@contextmanager
def documents_held(layout: StoreLayout, lock: RunLock, progress: Progress) -> Iterator[None]:
    """Holds the lock of the documents while the body runs, once whoever has it gives it back.

    Where the file system has no locks, nobody is kept apart: see `Claims`.

    Raises:
        StoreError: the system refuses.
    """
    if not lock.supported():
        yield
        return
    for polls in count():
        if lock.try_shard(DOCUMENTS):
            break
        if polls == _POLLS_UNTIL_TOLD:
            progress.message(f"waiting for another process that is at work on all of {layout.root}")
        time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.release_shard(DOCUMENTS)


def are_documents_current(layout: StoreLayout, record: StoreRecord) -> bool:
    """Whether there is nothing for `mend_documents` to do.

    Raises:
        StoreError: the store cannot be looked at.
    """
    return _is_group_current(layout, record) and not lacks_unfinished_card(layout, record)


def mend_documents(layout: StoreLayout, record: StoreRecord) -> None:
    """Writes anew what a kill or a copy left behind the record; under `documents_held` alone.

    Raises:
        StoreError: the disk refuses.
        CheckpointError, UsageError: what is installed with dfsynth is damaged.
    """
    if not _is_group_current(layout, record):
        format_of(layout).write_group(layout, record.arrays, record.attributes())
    if lacks_unfinished_card(layout, record):
        write_unfinished_card(layout)


def _is_group_current(layout: StoreLayout, record: StoreRecord) -> bool:
    """Whether the documents of the arrays are there, and as long as the record says.

    An extension that was cut off leaves shorter arrays; whoever removes an array's folder, or moves
    it away, takes its document along. What else is wrong with them is for `verify` to say.
    """
    store_format = format_of(layout)
    names = [spec.name for spec in record.arrays]
    folders = {path.parent for path in store_format.shard_files(layout, names, 0)}
    with store_faults(f"look into {layout.root}"):
        complete = all(folder.is_dir() for folder in folders)
    if not complete:
        return False
    try:
        found = store_format.read_group(layout)[0]
    except StoreError:
        return True
    return [spec.rows for spec in found] == [spec.rows for spec in record.arrays]
