"""A file that a user names for a result: there whole or not at all, in place of a file or of none.

Its bytes go into a file that has no name until it is whole, where the file system knows such files
(`O_TMPFILE`): a process that is killed leaves nothing behind.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from dfsynth.errors import StoreError, UsageError
from dfsynth.files.durable import sync_folder

_MODE: Final = 0o666
_NOT_NAMELESS: Final = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
"""What systems say that know no file without a name."""


def require_output(path: Path, what: str) -> None:
    """Requires that `path` can become a file: a new name, or a regular file to replace.

    Raises:
        UsageError: it is a folder, a device or the like, or lies in no folder.
    """
    if path.is_dir():
        raise UsageError(f"cannot write {what} to {path}: it is a folder; name a file")
    if path.exists() and (not path.is_file() or _is_stream(path)):
        raise UsageError(
            f"cannot write {what} to {path}: it is a device, a pipe or a socket, which a file "
            "would replace; name a regular file"
        )
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {what} to {path}: the folder {path.parent} does not exist")


@contextmanager
def writing_output(path: Path, what: str) -> Iterator[BinaryIO]:
    """A binary stream whose bytes become the file `path` when the body ends without an error.

    `what` is what messages call it. A link is replaced, and not followed.

    Raises:
        UsageError: as `require_output`.
        StoreError: the disk refuses; what was at `path` stays.
    """
    require_output(path, what)
    try:
        descriptor = _open_nameless(path.parent)
        with _named_last(path) if descriptor is None else _nameless(descriptor, path) as stream:
            yield stream
        with suppress(StoreError):
            sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"cannot write {what} to {path}: {error.strerror or 'the disk refuses'}; "
            "check its permissions and the space left"
        ) from error


def _is_stream(path: Path) -> bool:
    """Whether a name such as /dev/stdout stands for what this process has open."""
    return path.is_symlink() and str(path.readlink()).startswith("/proc/")


def _open_nameless(folder: Path) -> int | None:
    """A file in `folder` without a name; null where its file system has none such."""
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, _MODE)
    except OSError as error:
        if error.errno in _NOT_NAMELESS:
            return None
        raise


@contextmanager
def _nameless(descriptor: int, path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        _flush(stream)
        try:
            _link(descriptor, path)
        except FileExistsError:
            # No call replaces a name by a nameless file: a second name, for a moment.
            with _removed_on_error(path) as temporary:
                _link(descriptor, temporary)
                temporary.replace(path)


@contextmanager
def _named_last(path: Path) -> Iterator[BinaryIO]:
    with _removed_on_error(path) as temporary:
        with temporary.open("xb") as stream:
            yield stream
            _flush(stream)
        temporary.replace(path)


@contextmanager
def _removed_on_error(path: Path) -> Iterator[Path]:
    """A name beside `path` that nothing has."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        yield temporary
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _link(descriptor: int, path: Path) -> None:
    # Only with a folder's descriptor does Python let the system follow the link in /proc.
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _flush(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
