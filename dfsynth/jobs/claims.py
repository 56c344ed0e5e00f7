"""Which shards are this process's to do."""

from collections.abc import Collection, Iterable, Iterator
from typing import Protocol

from dfsynth.errors import ConflictError
from dfsynth.files.durable import sweep
from dfsynth.files.faults import is_there, store_faults
from dfsynth.files.locks import RunLock
from dfsynth.store import StoreLayout, remove_shard
from dfsynth.store.record import StoreRecord, read_record


class ShardQueue(Protocol):
    """Hands out shards, each to one worker alone, and takes them back.

    The engine knows no more of who does what: locks stand behind it here, and whatever else spreads
    shards over machines may.
    """

    def __iter__(self) -> Iterator[int]:
        """Shards to do, as long as there are any for this worker."""

    def release(self, shard: int) -> None:
        """Gives a shard back: committed, or left as it was."""


class Claims:
    """A `ShardQueue` of some shards of a store, each locked before it is given.

    Where the file system has no locks, `--partition I/N` (or being alone) keeps processes apart.
    """

    def __init__(
        self,
        layout: StoreLayout,
        lock: RunLock,
        record: StoreRecord,
        shards: Iterable[int],
        again: Collection[int] = (),
    ) -> None:
        """Looks which shards are committed; locks none yet.

        Args:
            layout: Of the store.
            lock: This process's locks on it.
            record: What it is made from.
            shards: Those that may be given, in this order.
            again: Committed shards that are done once more, with what is in them; those whose
                replacement was cut off are, in any case.

        Raises:
            StoreError: the manifest's folder cannot be read, or the system refuses locks.
        """
        self._layout = layout
        self._lock = lock
        self._locking = lock.supported()
        self._record = record
        self.committed = layout.committed_shards()
        redone = self.committed & {*again, *layout.replaced_shards()}
        self.pending = [s for s in shards if s not in self.committed or s in redone]
        # By these a shard is known that another process has done meanwhile.
        self._found = {shard: self._version(shard) for shard in redone.intersection(self.pending)}

    def __iter__(self) -> Iterator[int]:
        """Every pending shard that is free, then once more those that were not.

        Raises:
            ConflictError: the store was planned anew since this process opened it.
            StoreError: the disk refuses.
        """
        held: list[int] = []
        for shard in self.pending:
            if self._locking and not self._lock.try_shard(shard):
                held.append(shard)
            elif self._is_open(shard):
                yield shard
        # Whoever held them may be done with them, or dead.
        for shard in held:
            if self._lock.try_shard(shard) and self._is_open(shard):
                yield shard

    def release(self, shard: int) -> None:
        """Gives a shard back; after its commit, or where there is nothing to do.

        Raises:
            StoreError: this process does not hold it, or the system refuses.
        """
        if self._locking:
            self._lock.release_shard(shard)

    def _is_open(self, shard: int) -> bool:
        """Whether a shard that is now locked has to be done; if so, clears what is left of it."""
        # Overwriting needs the whole lock, so from here on the plan stays as it is.
        if read_record(self._layout.build).plan_id != self._record.plan_id:
            raise ConflictError(
                f"{self._layout.root} was planned anew by another process; "
                "run this command again if that is the store you want"
            )
        if self._version(shard) != self._found.get(shard):
            self.release(shard)
            return False
        # What a killed process left of this shard: temporaries, or map files without a part.
        sweep(self._layout.scratch, self._layout.owner(shard))
        if shard not in self._found and not is_there(self._layout.partial(shard)):
            remove_shard(self._layout, [spec.name for spec in self._record.arrays], shard)
        return True

    def _version(self, shard: int) -> tuple[int, int] | None:
        """What changes whenever the shard's part is written; None where there is none."""
        part = self._layout.part(shard)
        with store_faults(f"look for {part}"):
            try:
                status = part.stat()
            except FileNotFoundError:
                return None
        return status.st_ino, status.st_mtime_ns
