"""Which shards are this process's to do."""

from collections.abc import Iterator

from dfsynth.errors import ConflictError
from dfsynth.files.durable import sweep
from dfsynth.files.faults import store_faults
from dfsynth.files.locks import RunLock
from dfsynth.store import StoreLayout, remove_shard
from dfsynth.store.record import StoreRecord, read_record


class Claims:
    """Hands out uncommitted shards of this process's partition, each locked before it is given.

    Where the file system has no locks, `--partition I/N` (or being alone) keeps processes apart.
    """

    def __init__(
        self, layout: StoreLayout, lock: RunLock, record: StoreRecord, partition: tuple[int, int]
    ) -> None:
        """Looks which shards are committed; locks none yet.

        Raises:
            StoreError: the manifest's folder cannot be read, or the system refuses locks.
        """
        self._layout = layout
        self._lock = lock
        self._locking = lock.supported()
        self._record = record
        index, count = partition
        self.committed = layout.committed_shards()
        self.partition = range(index, record.shards, count)
        self.pending = [shard for shard in self.partition if shard not in self.committed]
        self.elsewhere: list[int] = []
        """Shards of the partition that another process held to the end."""

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
            if not self._lock.try_shard(shard):
                self.elsewhere.append(shard)
            elif self._is_open(shard):
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
        # Overwriting needs the whole lock, so from here on the record stays as it is.
        if read_record(self._layout.build) != self._record:
            raise ConflictError(
                f"{self._layout.root} was planned anew by another process; "
                "run this command again if that is the store you want"
            )
        with store_faults(f"look for {self._layout.part(shard)}"):
            committed = self._layout.part(shard).exists()
        if committed:
            self.release(shard)
            return False
        # What a killed process left of this shard: temporaries, or map files without a part.
        sweep(self._layout.scratch, self._layout.owner(shard))
        remove_shard(self._layout, [spec.name for spec in self._record.arrays], shard)
        return True
