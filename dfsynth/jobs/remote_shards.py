"""A store in an object store as the processes see it that build its shards (decision 0020).

Each works in a folder of its own, which stands for the store, and puts what it commits there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfsynth.errors import ConflictError
from dfsynth.files.faults import is_there
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.jobs.planning import Job, plan_or_resume
from dfsynth.jobs.store_card import update_card
from dfsynth.progress import Progress
from dfsynth.store import StoreLayout
from dfsynth.store.build_record import BuildRecord
from dfsynth.store.record import read_record
from dfsynth.store.remote import RemoteStore, staging


class RemoteShards:
    """Puts the plan, and shards as they are committed; before the first, the documents."""

    def __init__(self, store: RemoteStore, layout: StoreLayout) -> None:
        """Asks for nothing yet.

        Args:
            store: The one in the object store.
            layout: Of the folder that stands for it.
        """
        self._store = store
        self._layout = layout
        self._names: list[str] = []
        self.planned_here = False
        """Whether the plan of the store is the one that `plan` made."""

    @property
    def place(self) -> ObjectPath:
        """Where the store lies."""
        return self._store.root

    def plan(self, job: Job[BuildRecord], progress: Progress) -> None:
        """Plans the store and puts the plan, unless there is one.

        Of two processes that plan at once, one has put its plan first: the other takes that one.

        Raises:
            UsageError: no images, or a wrong option.
            StoreError: the disk, or the store, refuses.
        """
        if is_there(self._layout.build):
            return
        with plan_or_resume(job, self._layout, progress):
            pass
        self.planned_here = self._store.publish_plan(self._layout)
        if not self.planned_here:
            shutil.rmtree(self._layout.root)
            self._store.fetch(self._layout)

    def prepare(self) -> None:
        """Puts documents and card, where they are not there; once.

        Raises:
            StoreError: the store refuses.
        """
        if not self._names:
            self._store.publish_documents(self._layout)
            self._store.publish_card(self._layout, replacing=False)
            self._names = [spec.name for spec in read_record(self._layout.build).arrays]

    def publish(self, shard: int) -> None:
        """See `RemoteStore.publish_shard`."""
        self.prepare()
        self._store.publish_shard(self._layout, self._names, shard)

    def fetch_parts(self) -> None:
        """See `RemoteStore.fetch_parts`."""
        self._store.fetch_parts(self._layout)

    def publish_card(self) -> None:
        """Puts the card; that of a finished store where the shards of all processes make it one.

        Raises:
            StoreError: the store refuses.
        """
        shards = read_record(self._layout.build).shards
        if len(self._layout.committed_shards()) < shards:
            self.fetch_parts()
            update_card(self._layout)
        is_finished = len(self._layout.committed_shards()) == shards
        self._store.publish_card(self._layout, replacing=is_finished)


@contextmanager
def working_folder(out: AnyPath) -> Iterator[tuple[Path, RemoteShards | None]]:
    """Where a worker builds the shards of a planned store, and what puts them where it lies.

    Raises:
        ConflictError: there is no store in the object store.
        StoreError: the object store refuses.
    """
    if isinstance(out, Path):
        yield out, None
        return
    with staging(out) as folder:
        store, layout = RemoteStore(out), StoreLayout(folder)
        if not store.fetch(layout):
            raise ConflictError(
                f"found no store at {out}, which the driver has planned: expected AWS_ENDPOINT_URL "
                "and credentials of the same object store in the environment of all machines"
            )
        layout.make_folders()
        yield folder, RemoteShards(store, layout)
