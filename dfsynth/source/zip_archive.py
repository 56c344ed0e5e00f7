"""A zip archive, stored or deflated, read in place: nothing is ever unpacked."""

import stat
import zipfile
import zlib
from collections import Counter
from contextlib import AbstractContextManager
from threading import Lock
from typing import Final

import pyarrow as pa

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.files.object_file import ObjectRanges, RangeFile, ReadAheadEach, Version
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container import Members, sorted_columns
from dfsynth.source.member import archive_gone, archive_replaced, archive_warnings, image_id_of
from dfsynth.source.reading import require_no_machine_failure, require_size

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of the others, zipfile inflates whole blocks, whatever number of bytes is asked for."""
_ENCRYPTED = 0x1
_UNIX = 3
_LOCAL_HEADER_BYTES: Final = 1 << 12
"""More than a member's own header has before its data, names of usual length included."""


class ZipArchive:
    """Members of the zip `path`, by the bytes of their names.

    The zip's own directory is the index: it is read once, when first needed, and shared by all
    threads. Links are left out; encrypted members stay inputs, which fail when they are read.
    """

    def __init__(self, path: AnyPath) -> None:
        self.path = path
        self._lock = Lock()
        self._archive: zipfile.ZipFile | None = None
        self._object: _ZipObject | None = None

    def members(self) -> Members:
        """Every member that is an image.

        Raises:
            DfsynthError: unreadable, damaged, or no zip.
        """
        excluded: Counter[str] = Counter()
        ids: list[str] = []
        uris: list[str] = []
        for member in self._opened().infolist():
            if member.filename.endswith("/"):
                continue
            image_id = image_id_of(member.filename)
            if reason := _reason(member) or exclusion.reason_to_exclude_member(image_id):
                excluded[reason] += 1
            else:
                ids.append(image_id)
                uris.append(member.filename)
        columns = {
            "image_id": pa.chunked_array([ids], pa.string()),
            "uri": pa.chunked_array([uris], pa.string()),
        }
        return Members(sorted_columns(columns), excluded, archive_warnings(excluded))

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The member's bytes, inflated; safe from any thread.

        Raises:
            ImageError: missing, unreadable, too_large (by the directory, and while inflating),
                empty, truncated, corrupt.
            DfsynthError: the archive is gone or damaged as a whole, or the machine fails; one in
                an object store was replaced.
        """
        archive = self._opened()
        try:
            member = archive.getinfo(item.uri)
        except KeyError:
            raise ImageError(ErrorCode.MISSING, "the archive has no such member") from None
        if member.flag_bits & _ENCRYPTED:
            raise ImageError(ErrorCode.UNREADABLE, "the archive's member is encrypted")
        if member.compress_type not in _METHODS:
            raise ImageError(
                ErrorCode.UNREADABLE,
                f"the archive's member is compressed by method {member.compress_type}; "
                "expected stored or deflated",
            )
        require_size(member.file_size, max_bytes)
        content = self._content(archive, member, max_bytes)
        require_size(len(content), max_bytes)
        if len(content) < member.file_size:
            raise ImageError(ErrorCode.TRUNCATED, "the archive's member ends too early")
        return content

    def _content(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
        if self._object is None:
            return _inflate(archive, member, max_bytes)
        try:
            with self._object.holding(member, max_bytes):
                return _inflate(archive, member, max_bytes)
        except ImageError:
            # A file on a disk stays the one that was opened; an object is asked for each time.
            if not self._object.is_unchanged():
                raise archive_replaced(self.path) from None
            raise

    def _opened(self) -> zipfile.ZipFile:
        with self._lock:
            if self._archive is None:
                try:
                    self._archive = self._open()
                except (zipfile.BadZipFile, NotImplementedError, ValueError):
                    raise DfsynthError(
                        f"the archive {self.path.name} is damaged or is no zip: its directory "
                        "cannot be read; fetch or write it again"
                    ) from None
                except OSError as error:
                    require_no_machine_failure(error)
                    raise archive_gone(self.path) from None
            return self._archive

    def _open(self) -> zipfile.ZipFile:
        if isinstance(self.path, ObjectPath):
            self._object = _ZipObject(self.path)
            return zipfile.ZipFile(self._object.file)
        return zipfile.ZipFile(self.path)


class _ZipObject:
    """A zip in an object store, whose members are read with one request each."""

    def __init__(self, path: ObjectPath) -> None:
        """Asks what is there.

        Raises:
            DfsynthError: the object is not there, or the store refuses.
        """
        self._ranges = ObjectRanges(path)
        self._version: Version = self._ranges.version()
        self._ahead = ReadAheadEach(self._ranges.read_at)
        self.file = RangeFile(self._ahead.read_at, self._version.size_bytes)

    def holding(self, member: zipfile.ZipInfo, max_bytes: int) -> AbstractContextManager[None]:
        """The member's bytes are at hand in this thread while the body runs."""
        size_bytes = _LOCAL_HEADER_BYTES + min(member.compress_size, max_bytes)
        return self._ahead.own().held(member.header_offset, size_bytes)

    def is_unchanged(self) -> bool:
        """Whether the object is still the one that was opened."""
        return self._ranges.version() == self._version


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, max_bytes: int) -> bytes:
    try:
        with archive.open(member) as file:
            return file.read(max_bytes + 1)
    except (NotImplementedError, RuntimeError):
        raise ImageError(
            ErrorCode.UNREADABLE, "the archive's member is stored in a way that cannot be read"
        ) from None
    except EOFError:
        raise ImageError(ErrorCode.TRUNCATED, "the archive's member ends too early") from None
    except (zipfile.BadZipFile, zlib.error, ValueError):
        raise ImageError(ErrorCode.CORRUPT, "the archive's member is damaged") from None
    except OSError as error:
        require_no_machine_failure(error)
        raise ImageError(ErrorCode.UNREADABLE, "the archive cannot be read here") from None


def _reason(member: zipfile.ZipInfo) -> str | None:
    # Only archives made on Unix hold a file's kind, in the upper half of this field.
    if member.create_system == _UNIX and stat.S_ISLNK(member.external_attr >> 16):
        return exclusion.LINK
    return None
