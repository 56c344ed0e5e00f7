"""Whole files into memory, never more than a limit, and errors that carry no identity."""

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.files.object_errors import code_of, object_faults
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.objects import fetch, list_objects
from dfsynth.files.ranges import read_range

_MACHINE_FAILURES: Final[Mapping[int, str]] = MappingProxyType(
    {
        errno.EMFILE: "this process may open no more files; raise the limit (ulimit -n) or use "
        "fewer --workers",
        errno.ENFILE: "this machine can open no more files; end other programs that hold many",
        errno.ENOMEM: "this machine is out of memory; end other programs or use fewer --workers",
        errno.ESTALE: "the network file system lost track of it; mount it again",
        errno.EIO: "the disk reported an input/output error; check the disk and its mount (a file "
        "that alone is bad can be moved away: its image then fails as missing)",
        errno.ENOTCONN: "its file system is not connected; mount it again",
        errno.EACCES: "permission is denied, though the file's own mode allows it; renew what the "
        "file system asks for (a Kerberos ticket, a token)",
        errno.EKEYEXPIRED: "the key to its file system has expired; renew it",
        errno.ETIMEDOUT: "its file system does not answer; check the network and the server",
        errno.EHOSTDOWN: "the server of its file system is down; wait for it",
        errno.EREMOTEIO: "the server of its file system failed; check it",
        errno.ENODEV: "the device that holds it is gone; connect it again",
        errno.EAGAIN: "its file system is busy; wait until it is free",
    }
)
"""What ends a run: the same file could be read once the machine is well again."""


_OF_ONE_OBJECT: Final = frozenset({"AccessDenied", "403", "InvalidObjectState"})
"""What an object store says of objects that others own, or that lie in its slow archive."""


def require_no_machine_failure(error: OSError) -> None:
    """Requires that `error` is of the file itself: the row of a failed image would stay for good.

    Raises:
        DfsynthError: the same file could be read once the machine is well again.
    """
    if isinstance(error, PermissionError) and _denies(error.filename):
        return
    if failure := _MACHINE_FAILURES.get(error.errno or 0):
        raise DfsynthError(
            f"cannot read the source: {failure}, and run the same command again"
        ) from None


def _denies(name: str | bytes | None) -> bool:
    """Whether modes on the way to a file keep this user out: then it is the file's own trouble."""
    if name is None:
        return False
    path, needed = Path(os.fsdecode(name)), 4
    for place in (path, *path.parents):
        try:
            status = place.stat()
        except OSError:
            needed = 1  # What cannot be looked at lies in a folder that may not be searched.
            continue
        return not _allows(status, needed)
    return False


def _allows(status: os.stat_result, needed: int) -> bool:
    """Whether the mode gives this user what is needed: 4 to read, 1 to search a folder."""
    if os.geteuid() == 0:
        return True
    if status.st_uid == os.geteuid():
        needed <<= 6
    elif status.st_gid in {os.getegid(), *os.getgroups()}:
        needed <<= 3
    return bool(status.st_mode & needed)


def read_below(root: AnyPath, uri: str, max_bytes: int) -> bytes:
    """The bytes of the file, or of the object, `uri` below `root`.

    Raises:
        ImageError: missing, unreadable, empty, or more than `max_bytes` (asked before reading).
        DfsynthError: the root itself is gone, so that no image can be told to be missing; or
            a failure of the machine or of the object store, not of the file.
    """
    if isinstance(root, ObjectPath):
        return _read_object(root, uri, max_bytes)
    try:
        # Without O_NONBLOCK a pipe of the same name would block for good.
        descriptor = os.open(root / uri, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        if not root.is_dir():
            raise DfsynthError(
                f"the source's folder {root} is gone: expected the folder that was listed; "
                "bring it back (is the disk mounted?) and run the same command again"
            ) from None
        raise ImageError(ErrorCode.MISSING, "the file is not there") from None
    except ValueError:
        raise ImageError(ErrorCode.UNREADABLE, "the file cannot be opened") from None
    except OSError as error:
        require_no_machine_failure(error)
        raise ImageError(ErrorCode.UNREADABLE, "the file cannot be opened") from None
    try:
        return _read_regular(descriptor, max_bytes)
    except OSError as error:
        require_no_machine_failure(error)
        raise ImageError(ErrorCode.UNREADABLE, "the file cannot be read") from None
    finally:
        os.close(descriptor)


def _read_object(root: ObjectPath, uri: str, max_bytes: int) -> bytes:
    with object_faults(f"read the source {root}", root.bucket, DfsynthError):
        try:
            # One request, where asking for the size first would be two.
            content = fetch(root / uri, max_bytes + 1)
        except OSError as error:
            if code_of(error) not in _OF_ONE_OBJECT:
                raise
            # Where nothing at all may be read, this ends the run.
            next(list_objects(root), None)
            raise ImageError(ErrorCode.UNREADABLE, "the object may not be read") from None
    if content is None:
        raise ImageError(ErrorCode.MISSING, "the object is not there")
    if len(content) > max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE, f"the object has more than the {max_bytes} bytes that are read"
        )
    require_size(len(content), max_bytes)
    return content


def _read_regular(descriptor: int, max_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(ErrorCode.UNREADABLE, "this is a folder or a device, not a file")
    require_size(status.st_size, max_bytes)
    content = read_range(descriptor, status.st_size, 0)
    require_size(len(content), max_bytes)
    return content


def require_size(size_bytes: int, max_bytes: int) -> None:
    """Requires that an input of `size_bytes` may be read.

    Raises:
        ImageError: empty, or too large.
    """
    if size_bytes == 0:
        raise ImageError(ErrorCode.EMPTY, "the file is empty")
    if size_bytes > max_bytes:
        raise ImageError(
            ErrorCode.TOO_LARGE,
            f"the file has {size_bytes} bytes; at most {max_bytes} bytes are read",
        )
