"""Turns what the operating system refuses into one sentence that says what to do."""

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dfsynth.errors import StoreError

_AGAIN: Final = "then run the same command again: what was written whole is kept"
_REMEDIES: Final[Mapping[int, tuple[str, str]]] = {
    errno.ENOSPC: ("the disk is full", f"free space there, {_AGAIN}"),
    errno.EDQUOT: ("the disk quota is used up", f"free space or raise the quota, {_AGAIN}"),
    errno.EFBIG: (
        "the file would exceed the largest size allowed",
        f"raise the limit (ulimit -f) or plan smaller shards (--shard-size), {_AGAIN}",
    ),
    errno.EACCES: ("permission is denied", f"allow this user to read and write there, {_AGAIN}"),
    errno.EPERM: ("the operation is not permitted", f"check owner and attributes, {_AGAIN}"),
    errno.EROFS: ("the file system is read-only", "choose another --out, or mount it writable"),
    errno.ENOENT: (
        "the file or its folder is not there",
        "check that nothing removed or renamed the store while it was in use",
    ),
    errno.ENOTDIR: ("a folder of the store is not a folder", "choose another --out"),
    errno.EISDIR: ("a folder lies where a file belongs", "choose another --out"),
    errno.EXDEV: (
        "the store spans two file systems",
        "keep run/tmp and the arrays of a store on one file system",
    ),
    errno.EMFILE: ("too many files are open", f"raise the limit (ulimit -n), {_AGAIN}"),
    errno.ENFILE: ("too many files are open on this machine", f"close some, {_AGAIN}"),
    errno.EIO: ("the disk reported an input/output error", f"check the disk, {_AGAIN}"),
    errno.ESTALE: ("the network file system lost the file", f"mount it again, {_AGAIN}"),
}


def store_error(action: str, error: OSError) -> StoreError:
    """The error for an `action` that `error` stopped; "write x.zarr/zarr.json" is an action."""
    code = error.errno or 0
    found, remedy = _REMEDIES.get(
        code, ("the system refused it", f"check the disk that holds the store, {_AGAIN}")
    )
    name = errno.errorcode.get(code, "no error number")
    return StoreError(f"cannot {action}: {found} ({name}); {remedy}")


@contextmanager
def store_faults(action: str) -> Iterator[None]:
    """Raises the OSErrors of its body as StoreError, chained to the original.

    Raises:
        StoreError: the body raised an OSError.
    """
    try:
        yield
    except OSError as error:
        raise store_error(action, error) from error


def is_there(path: Path) -> bool:
    """Whether a file or a folder of a store is there; links are followed.

    Raises:
        StoreError: the system refuses to look.
    """
    with store_faults(f"look for {path}"):
        return path.exists()
