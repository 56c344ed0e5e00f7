"""Which shards are this process's to do."""

from collections.abc import Iterator

from dfsynth.store import RunLock, StoreLayout, remove_shard, sweep


class Claims:
    """Hands out uncommitted shards of this process's share, each locked before it is given.

    Where the file system has no locks, `--shard I/N` (or being alone) keeps processes apart.
    """

    def __init__(
        self,
        layout: StoreLayout,
        lock: RunLock,
        shards: int,
        share: tuple[int, int],
        names: tuple[str, ...],
    ) -> None:
        self._layout = layout
        self._lock = lock
        self._locking = lock.supported()
        self._names = names
        committed = layout.committed_shards()
        index, count = share
        self.share = range(index, shards, count)
        self.pending = [shard for shard in self.share if shard not in committed]
        self.elsewhere: list[int] = []
        """Uncommitted shards of the share that another process holds."""

    def __iter__(self) -> Iterator[int]:
        for shard in self.pending:
            if self._locking and not self._lock.try_shard(shard):
                self.elsewhere.append(shard)
                continue
            if self._layout.part(shard).exists():
                # Another process committed it since the scan.
                self.release(shard)
                continue
            # What a killed process left of this shard: temporaries, or map files without a part.
            sweep(self._layout.scratch, self._layout.owner(shard))
            remove_shard(self._layout, self._names, shard)
            yield shard

    def release(self, shard: int) -> None:
        if self._locking:
            self._lock.release_shard(shard)
