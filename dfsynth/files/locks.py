"""Which process works on which shard: POSIX record locks on `run/lock`, byte i for shard i.

The kernel frees them when a process dies, however it dies. They belong to the process, not to
the descriptor: threads of one process do not exclude each other, a forked child holds none of
them, and closing any descriptor of the file drops all of the process's locks on it. So a process
keeps one `RunLock` per store, and nothing else opens the file.
"""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from dfsynth.errors import StoreError
from dfsynth.files.faults import store_error, store_faults

_TAKEN: Final = frozenset({errno.EACCES, errno.EAGAIN})
_UNSUPPORTED: Final = frozenset(
    {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
)
_PROBE_BYTE: Final = 2**62  # no shard has this number, and a lock of the whole covers it


class RunLock:
    """The locks that this process holds on one store; closing gives all of them back."""

    def __init__(self, path: Path) -> None:
        """Opens the lock file, making it where it is missing (its folder must exist).

        Raises:
            StoreError: the file cannot be opened for writing.
        """
        self._path = path
        self._held: set[int] = set()
        with store_faults(f"open the lock file {path}"):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)

    def supported(self) -> bool:
        """Whether this file system knows locks: where not, one process, or `--partition I/N`.

        Raises:
            StoreError: the system refuses for another reason.
        """
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _PROBE_BYTE)
        except OSError as error:
            if error.errno in _TAKEN:
                return True
            if error.errno in _UNSUPPORTED:
                return False
            raise store_error(f"lock {self._path}", error) from error
        self._release(1, _PROBE_BYTE)
        return True

    def try_shard(self, shard: int) -> bool:
        """Takes one shard; False where it is taken, by this object as well.

        Raises:
            StoreError: the file system knows no locks.
        """
        if shard in self._held or not self._take(1, shard):
            return False
        self._held.add(shard)
        return True

    def release_shard(self, shard: int) -> None:
        """Gives one shard back.

        Raises:
            StoreError: this object does not hold it, or the system refuses.
        """
        if shard not in self._held:
            raise StoreError(f"shard {shard} cannot be released: this process does not hold it")
        self._release(1, shard)
        self._held.discard(shard)

    def try_whole(self) -> bool:
        """Takes the whole store (planning, repair, overwrite); False where another has a part.

        Raises:
            StoreError: the file system knows no locks.
        """
        return self._take(0, 0)

    def release_whole(self) -> None:
        """Gives everything back, shards included.

        Raises:
            StoreError: the system refuses.
        """
        self._release(0, 0)
        self._held.clear()

    def close(self) -> None:
        """Gives everything back and closes the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._held.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _take(self, length: int, start: int) -> bool:
        try:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            if error.errno in _UNSUPPORTED:
                name = errno.errorcode.get(error.errno, "no error number")
                raise StoreError(
                    f"cannot lock {self._path}: its file system has no file locks ({name}); "
                    "let a single process work on this store, or plan it once and give each "
                    "process its own share with --partition I/N"
                ) from error
            raise store_error(f"lock {self._path}", error) from error
        return True

    def _release(self, length: int, start: int) -> None:
        with store_faults(f"unlock {self._path}"):
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN, length, start)
