"""Reads parts of open files, without a position that threads would share."""

import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

from dfsynth.files.faults import store_faults

_MOST_AT_ONCE: Final = 1 << 30
"""Bytes of one call; no system gives more than two gigabytes."""
ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(offset, size in bytes) → those bytes of a file, fewer where it ends before."""


class DiskRanges:
    """A file on a disk, read at any place by any thread; closed with the last that reads."""

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            OSError: it cannot be opened.
        """
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._descriptor)

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """See `ReadAt`.

        Raises:
            OSError: the system refuses.
        """
        return read_range(self._descriptor, size_bytes, offset)


@contextmanager
def opened(path: Path, what: str) -> Iterator[int]:
    """A descriptor to read `path` with, closed at the end; `what` is read, for errors.

    Raises:
        StoreError: the system refuses, in the body too.
    """
    with store_faults(f"read {what} from {path}"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def read_range(descriptor: int, size_bytes: int, offset: int) -> bytes:
    """Up to `size_bytes` from `offset`: fewer only at the end of the file.

    Raises:
        OSError: the system refuses.
    """
    pieces: list[bytes] = []
    while size_bytes > 0:
        piece = os.pread(descriptor, min(size_bytes, _MOST_AT_ONCE), offset)
        if not piece:
            break
        pieces.append(piece)
        offset += len(piece)
        size_bytes -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
