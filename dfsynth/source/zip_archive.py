"""A zip archive, stored or deflated, read in place: nothing is ever unpacked."""

import stat
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from threading import Lock

import pyarrow as pa

from dfsynth.errors import DfsynthError, ErrorCode, ImageError
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container import Members, sorted_columns
from dfsynth.source.member import archive_gone, archive_warnings, image_id_of
from dfsynth.source.reading import require_no_machine_failure, require_size

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Of the others, zipfile inflates whole blocks, whatever number of bytes is asked for."""
_ENCRYPTED = 0x1
_UNIX = 3


class ZipArchive:
    """Members of the zip `path`, by the bytes of their names.

    The zip's own directory is the index: it is read once, when first needed, and shared by all
    threads. Links are left out; encrypted members stay inputs, which fail when they are read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._archive: zipfile.ZipFile | None = None

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
            DfsynthError: the archive is gone or damaged as a whole, or the machine fails.
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
        content = _inflate(archive, member, max_bytes)
        require_size(len(content), max_bytes)
        if len(content) < member.file_size:
            raise ImageError(ErrorCode.TRUNCATED, "the archive's member ends too early")
        return content

    def _opened(self) -> zipfile.ZipFile:
        with self._lock:
            if self._archive is None:
                try:
                    self._archive = zipfile.ZipFile(self.path)
                except (zipfile.BadZipFile, NotImplementedError, ValueError):
                    raise DfsynthError(
                        f"the archive {self.path.name} is damaged or is no zip: its directory "
                        "cannot be read; fetch or write it again"
                    ) from None
                except OSError as error:
                    require_no_machine_failure(error)
                    raise archive_gone(self.path) from None
            return self._archive


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
