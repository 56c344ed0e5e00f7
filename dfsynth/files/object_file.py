"""Objects of an object store read as files are: at any place, and on and on."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from dfsynth.errors import DfsynthError
from dfsynth.files.object_errors import is_missing, object_faults
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.objects import fetch, filesystem
from dfsynth.files.ranges import DiskRanges, ReadAt

_FIRST_BYTES: Final = 1 << 16
_MOST_BYTES: Final = 1 << 23
"""Of one request ahead of a reader: as much as a network brings in the time of a few requests."""


@dataclass(frozen=True, slots=True)
class Version:
    """What tells one content of an object from another."""

    size_bytes: int
    tag: str


@dataclass(frozen=True, slots=True)
class ObjectRanges:
    """An object, read at any place by any thread, each time with one request."""

    path: ObjectPath

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """See `ReadAt`.

        Raises:
            UsageError: there is no such bucket.
            DfsynthError: the object is gone, or the store refuses.
        """
        if size_bytes <= 0:
            return b""
        with object_faults(f"read {self.path}", self.path.bucket, DfsynthError):
            content = fetch(self.path, offset + size_bytes, start=offset)
        if content is None:
            raise self._gone()
        return content

    def version(self) -> Version:
        """What the object is now.

        Raises:
            DfsynthError: the object is gone, or the store refuses.
        """
        found = version_of(self.path)
        if found is None:
            raise self._gone()
        return found

    def _gone(self) -> DfsynthError:
        return DfsynthError(
            f"{self.path} is not there: expected the object that the source names; bring it back, "
            "and run the same command again"
        )


def version_of(path: ObjectPath) -> Version | None:
    """What an object is now; None where there is none.

    Raises:
        DfsynthError: the store refuses.
    """
    with object_faults(f"look for {path}", path.bucket, DfsynthError):
        try:
            head = filesystem().call_s3("head_object", Bucket=path.bucket, Key=path.key)
        except OSError as error:
            if is_missing(error):
                return None
            raise
    return Version(head["ContentLength"], head["ETag"])


class ReadAhead:
    """Reads what comes next in the same request: the more, the longer a reader goes on.

    For one thread at a time. Whoever jumps about asks for little at each place.
    """

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._start = 0
        self._window = b""

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """See `ReadAt`.

        Raises:
            Exception: what the reader below raises.
        """
        length = len(self._window)
        place = offset - self._start
        if size_bytes > 0 and not 0 <= place <= length - size_bytes:
            goes_on = 0 <= place <= 2 * length
            ahead = max(min(2 * length, _MOST_BYTES), _FIRST_BYTES) if goes_on else _FIRST_BYTES
            self._window = self._read_at(offset, max(size_bytes, ahead))
            self._start, place = offset, 0
        return self._window[place : place + size_bytes]

    @contextmanager
    def held(self, offset: int, size_bytes: int) -> Iterator[None]:
        """Reads a range with one request, and has it at hand while the body runs."""
        self._start, self._window = offset, self._read_at(offset, size_bytes)
        try:
            yield
        finally:
            self._window = b""


class ReadAheadEach:
    """A `ReadAhead` for each thread."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._own = threading.local()

    def own(self) -> ReadAhead:
        """That of the thread that asks."""
        if not hasattr(self._own, "ahead"):
            self._own.ahead = ReadAhead(self._read_at)
        ahead: ReadAhead = self._own.ahead
        return ahead

    def read_at(self, offset: int, size_bytes: int) -> bytes:
        """See `ReadAhead`."""
        return self.own().read_at(offset, size_bytes)


class RangeFile(io.RawIOBase):
    """What libraries take for an open file, over a reader of places."""

    def __init__(self, read_at: ReadAt, size_bytes: int) -> None:
        """Starts at the first byte.

        Args:
            read_at: Gives the content.
            size_bytes: Length of the whole.
        """
        super().__init__()
        self._read_at = read_at
        self._size_bytes = size_bytes
        self._position = 0

    def readable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def seekable(self) -> bool:
        """See `io.IOBase`."""
        return True

    def tell(self) -> int:
        """See `io.IOBase`."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """See `io.IOBase`.

        Raises:
            OSError: a place before the first byte.
        """
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size_bytes}
        place = origin[whence] + offset
        if place < 0:
            raise OSError(f"no place {place} in a file")
        self._position = place
        return place

    def readinto(self, buffer: Any) -> int:
        """See `io.RawIOBase`; fills the buffer, but for the end."""
        wanted = max(min(len(buffer), self._size_bytes - self._position), 0)
        content = self._read_at(self._position, wanted)
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def open_forward(path: AnyPath) -> ReadAt:
    """Reads a file or an object from place to place, mostly onward; for one thread at a time.

    Raises:
        OSError: the file cannot be opened. An object is asked for once it is read.
    """
    if isinstance(path, ObjectPath):
        return ReadAhead(ObjectRanges(path).read_at).read_at
    return DiskRanges(path).read_at


def to_open_file(path: AnyPath) -> Path | IO[bytes]:
    """What libraries take: a path, or an object as an open file for one thread at a time.

    Raises:
        UsageError, DfsynthError: the object is not there, or the store refuses.
    """
    if isinstance(path, ObjectPath):
        ranges = ObjectRanges(path)
        ahead = ReadAhead(ranges.read_at)
        return cast(IO[bytes], RangeFile(ahead.read_at, ranges.version().size_bytes))
    return path
