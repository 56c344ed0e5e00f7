"""Which process works on which shard: POSIX record locks on `run/lock`, byte i for shard i.

One byte more, `DOCUMENTS`, is for what belongs to no shard and is written beside their makers.
The kernel frees them when a process dies, however it dies. They belong to the process, not to
the descriptor: to the kernel, threads of one process do not exclude each other, a forked child
holds none of them, and closing any descriptor of the file drops all of the process's locks on it.
So all `RunLock`s of one process on one store share a descriptor, and ask each other before they
ask the kernel; nothing else opens the file.
"""

import errno
import fcntl
import os
import threading
from dataclasses import dataclass, field
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
DOCUMENTS: Final = _PROBE_BYTE + 1
"""Taken and released as a shard is, by who writes what belongs to none while others make shards."""


@dataclass(slots=True)
class _Opened:
    """The one descriptor that this process has of a lock file, and who of it holds what."""

    descriptor: int
    users: int = 0
    shards: dict[int, "RunLock"] = field(default_factory=dict)
    whole: "RunLock | None" = None


# The kernel knows one holder a process, so that who it is among its threads has to be known here.
_MUTEX: Final = threading.RLock()
_OPENED: Final[dict[tuple[int, int, int], _Opened]] = {}
"""By process (a forked child holds nothing), device and inode."""


class RunLock:
    """The locks that its owner holds on one store; closing gives all of them back.

    Two objects exclude each other, be they of two processes or of two threads of one.
    """

    def __init__(self, path: Path) -> None:
        """Opens the lock file, making it where it is missing (its folder must exist).

        Raises:
            StoreError: the file cannot be opened for writing.
        """
        self._path = path
        self._closed = False
        with _MUTEX, store_faults(f"open the lock file {path}"):
            self._key, self._file = _open(path)
            self._file.users += 1

    def supported(self) -> bool:
        """Whether this file system knows locks: where not, one process, or `--partition I/N`.

        Raises:
            StoreError: the system refuses for another reason.
        """
        descriptor = self._file.descriptor
        with _MUTEX:
            if self._file.whole is not None:
                return True
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _PROBE_BYTE)
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
        with _MUTEX:
            held = self._file
            if shard in held.shards or held.whole not in (None, self) or not self._take(1, shard):
                return False
            held.shards[shard] = self
        return True

    def release_shard(self, shard: int) -> None:
        """Gives one shard back.

        Raises:
            StoreError: this object does not hold it, or the system refuses.
        """
        with _MUTEX:
            if self._file.shards.get(shard) is not self:
                raise StoreError(f"shard {shard} cannot be released: this process does not hold it")
            self._release(1, shard)
            del self._file.shards[shard]

    def try_whole(self) -> bool:
        """Takes the whole store (planning, repair, overwrite); False where another has a part.

        Raises:
            StoreError: the file system knows no locks.
        """
        with _MUTEX:
            held = self._file
            others = {held.whole, *held.shards.values()} - {None, self}
            if others or not self._take(0, 0):
                return False
            held.whole = self
        return True

    def release_whole(self) -> None:
        """Gives everything back, shards included.

        Raises:
            StoreError: the system refuses.
        """
        with _MUTEX:
            if self._file.whole is self:
                self._release(0, 0)
                self._file.whole = None
                self._file.shards.clear()
                return
            for shard in [each for each, owner in self._file.shards.items() if owner is self]:
                self.release_shard(shard)

    def close(self) -> None:
        """Gives everything back; the last one of the process closes the file."""
        with _MUTEX:
            if self._closed:
                return
            self._closed = True
            self._file.users -= 1
            if self._file.users == 0:
                _OPENED.pop(self._key, None)
                os.close(self._file.descriptor)
            else:
                self.release_whole()

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
            fcntl.lockf(self._file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start)
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
            fcntl.lockf(self._file.descriptor, fcntl.LOCK_UN, length, start)


def _open(path: Path) -> tuple[tuple[int, int, int], _Opened]:
    """What this process has open at `path`, opened now if nothing is.

    Raises:
        OSError: the system refuses.
    """
    try:
        status = os.lstat(path)
        key = os.getpid(), status.st_dev, status.st_ino
    except FileNotFoundError:
        key = (0, 0, 0)
    if key not in _OPENED:
        # Only now: closing a second descriptor would drop the locks of the first.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        status = os.fstat(descriptor)
        key = os.getpid(), status.st_dev, status.st_ino
        _OPENED[key] = _Opened(descriptor)
    return key, _OPENED[key]
