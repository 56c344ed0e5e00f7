"""Files that appear under their name whole or not at all, and survive a power cut.

Every file of a store is written in its scratch folder (`run/tmp`), flushed to the disk, renamed
into place, and the folder's entry flushed too. What a kill leaves lies in the scratch folder,
under a name that starts with its owner, so that whoever holds the owner's lock can sweep it.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from dfsynth.files.faults import store_faults

_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


class DurableFile:
    """A new file in `scratch` that `publish` moves to `target`, replacing what was there.

    Use: write to it, `seal`, `publish`; or `discard` at any time before `publish`.
    """

    def __init__(self, target: Path, scratch: Path, owner: str) -> None:
        """Opens the file.

        Raises:
            StoreError: the scratch folder cannot be written.
        """
        self.target = target
        self._temporary = scratch / f"{owner}.{target.name}.{secrets.token_hex(6)}.tmp"
        with store_faults(f"create a file in {scratch}"):
            self.stream: BinaryIO = self._temporary.open("x+b")

    def write(self, data: bytes) -> None:
        """Appends bytes.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        with store_faults(f"write {self.target}"):
            self.stream.write(data)

    def seal(self) -> None:
        """Flushes the bytes to the disk and closes the file.

        Raises:
            StoreError: the disk is full, or refuses.
        """
        with store_faults(f"write {self.target}"):
            self.stream.flush()
            os.fsync(self.stream.fileno())
            self.stream.close()

    def publish(self) -> None:
        """Moves the sealed file to its name; `sync_folder` of its parent makes that last.

        Raises:
            StoreError: the name cannot be taken.
        """
        with store_faults(f"rename a finished file to {self.target}"):
            self._temporary.replace(self.target)

    def discard(self) -> None:
        """Drops the file, as far as the system lets it; a sweep takes the rest."""
        with suppress(OSError):
            self.stream.close()
        with suppress(OSError):
            self._temporary.unlink()


@contextmanager
def replacing(target: Path, scratch: Path, owner: str) -> Iterator[BinaryIO]:
    """A binary stream whose bytes become `target` when the body ends without an error.

    Raises:
        StoreError: any OSError on the way, those of the body included; `target` is untouched.
    """
    file = DurableFile(target, scratch, owner)
    try:
        with store_faults(f"write {target}"):
            yield file.stream
        file.seal()
        file.publish()
    finally:
        file.discard()
    sync_folder(target.parent)


def write_durably(target: Path, data: bytes, scratch: Path, owner: str) -> None:
    """Makes `data` the content of `target`, whole or not at all.

    Raises:
        StoreError: it cannot be written; what was at `target` stays.
    """
    with replacing(target, scratch, owner) as stream:
        stream.write(data)


def make_folder(folder: Path) -> None:
    """Makes a folder and its parents where they are missing, each flushed to the disk.

    Raises:
        StoreError: it cannot be made, or a file lies there.
    """
    with store_faults(f"look at the folder {folder}"):
        if folder.is_dir():
            return
    if folder.parent != folder:
        make_folder(folder.parent)
    with store_faults(f"make the folder {folder}"):
        try:
            folder.mkdir()
        except FileExistsError as error:
            if not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "not a folder") from error
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Flushes the entries of a folder, where its file system knows how to.

    Raises:
        StoreError: the disk refuses.
    """
    with store_faults(f"flush the folder {folder}"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                raise
        finally:
            os.close(descriptor)


def remove_durably(paths: Iterable[Path]) -> None:
    """Unlinks files, missing ones passed over, and flushes their folders.

    Raises:
        StoreError: one cannot be removed.
    """
    folders: set[Path] = set()
    for path in paths:
        with store_faults(f"remove {path}"):
            try:
                path.unlink()
            except FileNotFoundError:
                continue
        folders.add(path.parent)
    for folder in sorted(folders):
        sync_folder(folder)


def sweep(scratch: Path, owner: str | None = None) -> int:
    """Removes what earlier processes left in the scratch folder; returns how many entries.

    `owner` limits it to that owner's files. Call it only while holding the owner's lock (the
    whole run lock for None): a file there may be another process's work in hand.

    Raises:
        StoreError: the folder cannot be read, or an entry cannot be removed.
    """
    swept = 0
    with store_faults(f"sweep {scratch}"):
        for entry in sorted(scratch.iterdir()):
            if owner is not None and not entry.name.startswith(f"{owner}."):
                continue
            remove_entry(entry)
            swept += 1
    return swept


def remove_entry(entry: Path) -> None:
    """Removes a file, a link (never what it points to) or a whole folder; missing is fine.

    Raises:
        OSError: the system refuses.
    """
    with suppress(FileNotFoundError):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
