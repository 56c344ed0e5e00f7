"""A tar, plain or as a gzip, read in place: nothing is ever unpacked."""

from collections import Counter
from threading import Lock
from typing import Final

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.files.object_file import ObjectRanges, ReadAhead, open_forward
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.files.ranges import DiskRanges, ReadAt
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.container import MemberList, Members, sorted_columns
from dfsynth.source.gzip_stream import GzipStream
from dfsynth.source.member import archive_gone, archive_replaced, archive_warnings, image_id_of
from dfsynth.source.reading import require_no_machine_failure, require_size
from dfsynth.source.tar_header import (
    BLOCK_BYTES,
    UNREADABLE,
    OpenTar,
    is_member,
    iterate,
    reason_to_exclude_header,
)
from dfsynth.source.webdataset_facts import MemberFacts

_GZIP_MARK: Final = b"\x1f\x8b"
_OTHER_MARKS: Final = (b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


class TarArchive:
    """Members of the tar `path`; the plan keeps the place and size of each in the plain tar.

    Those of a plain tar come by the bytes of their names, those of a gzip in the order in which
    they lie there, so that a build inflates it once from start to end. Member names are names
    only: nothing is written, so a name with `..` or a leading `/` does no harm. Links and sparse
    members are left out. Members .json and .cls beside an image of the same key, as WebDataset
    has them, give its facts.
    """

    def __init__(self, path: AnyPath) -> None:
        self.path = path
        self._lock = Lock()
        self._stream: GzipStream | None = None
        self._is_plain: bool | None = None

    def members(self) -> Members:
        """Every regular member that is an image.

        Raises:
            UsageError: compressed otherwise than by gzip.
            DfsynthError: unreadable, or damaged before its end.
        """
        excluded: Counter[str] = Counter()
        found, described = MemberList(), MemberFacts()
        try:
            if stream := self._opened():
                ended = _scan(stream.read_at, found, described, excluded)
                stream.size()  # inflated to its end, a gzip that was cut off shows
            else:
                ended = _scan(open_forward(self.path), found, described, excluded)
        except UNREADABLE as error:
            if isinstance(error, OSError):
                require_no_machine_failure(error)
            raise self._damaged() from None
        columns = found.columns()
        if self._is_plain:
            columns = sorted_columns(columns)
        facts, complaints = described.about(columns["image_id"], excluded)
        warnings = (*archive_warnings(excluded), *complaints)
        if not ended:
            warnings = (*warnings, "the archive has no end mark; it may have been cut off")
        return Members({**columns, "uri": columns["image_id"], **facts}, excluded, warnings)

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The member's bytes, at the place that the plan gives; safe from any thread.

        Raises:
            ImageError: unreadable, too_large, empty, truncated.
            DfsynthError: the archive is gone or was written anew, or the machine fails.
        """
        if item.offset is None or item.size_bytes is None:
            raise ImageError(ErrorCode.UNREADABLE, "the plan gives no place inside the archive")
        require_size(item.size_bytes, max_bytes)
        stream = self._opened()
        if stream is None:
            content = self._read_plain(item.uri, item.offset, item.size_bytes)
        else:
            content = self._read_inflated(stream, item.uri, item.offset, item.size_bytes)
        if len(content) < item.size_bytes:
            raise ImageError(ErrorCode.TRUNCATED, "the archive ends inside this member")
        return content

    def _read_plain(self, member: str, offset: int, size_bytes: int) -> bytes:
        if isinstance(self.path, ObjectPath):
            ahead = ReadAhead(ObjectRanges(self.path).read_at)
            header = min(offset, BLOCK_BYTES)  # in the same request
            with ahead.held(offset - header, header + size_bytes):
                return self._read_member(ahead.read_at, member, offset, size_bytes)
        try:
            disk = DiskRanges(self.path)
        except OSError as error:
            require_no_machine_failure(error)
            raise archive_gone(self.path) from None
        return self._read_member(disk.read_at, member, offset, size_bytes)

    def _read_member(self, read_at: ReadAt, member: str, offset: int, size_bytes: int) -> bytes:
        try:
            if not is_member(read_at, offset, size_bytes, member):
                raise archive_replaced(self.path)
            return read_at(offset, size_bytes)
        except OSError as error:
            require_no_machine_failure(error)
            raise ImageError(ErrorCode.UNREADABLE, "the archive cannot be read here") from None

    def _read_inflated(
        self, stream: GzipStream, member: str, offset: int, size_bytes: int
    ) -> bytes:
        try:
            if not is_member(stream.read_at, offset, size_bytes, member):
                raise archive_replaced(self.path)
            return stream.read_at(offset, size_bytes)
        except OSError as error:
            require_no_machine_failure(error)
            raise ImageError(ErrorCode.UNREADABLE, "the archive cannot be read here") from None
        except UNREADABLE:
            # It was whole when it was planned: the listing inflates it to its end.
            raise archive_replaced(self.path) from None

    def _opened(self) -> GzipStream | None:
        """The inflated content; None of a plain tar, which is opened for each read."""
        with self._lock:
            if self._is_plain is None:
                self._is_plain = not _is_gzip(self.path)
                if not self._is_plain:
                    self._stream = GzipStream(open_forward(self.path))
            return self._stream

    def _damaged(self) -> DfsynthError:
        return DfsynthError(
            f"the archive {self.path.name} is damaged or is no tar: its members cannot be listed "
            "to the end; fetch or write it again, or unpack what is left of it and give that folder"
        )


def _scan(
    read_at: ReadAt, found: MemberList, described: MemberFacts, excluded: Counter[str]
) -> bool:
    """Lists the members; False where the archive lacks its end mark.

    Raises:
        One of `UNREADABLE`: damaged.
    """
    with OpenTar.over(read_at) as tar:
        for member in iterate(tar):
            if member.isdir():
                continue
            image_id = image_id_of(member.name)
            reason = reason_to_exclude_header(member) or exclusion.reason_to_exclude_member(
                image_id
            )
            if reason is None:
                found.append(image_id, member.offset_data, member.size)
            elif described.wants(image_id, member.size):
                content = read_at(member.offset_data, member.size)
                described.add(image_id, content, reason)
            else:
                excluded[reason] += 1
        # tarfile takes a damaged header in the middle for the end; what is there tells.
        block = read_at(tar.offset, BLOCK_BYTES)
    if block.strip(b"\0"):
        raise ValueError("no header where one should be")
    return len(block) == BLOCK_BYTES


def _is_gzip(path: AnyPath) -> bool:
    """Whether the file is a gzip; else it is taken for a plain tar.

    Raises:
        UsageError: compressed in another way.
        DfsynthError: it cannot be opened.
    """
    try:
        start = open_forward(path)(0, 6)
    except OSError as error:
        require_no_machine_failure(error)
        raise archive_gone(path) from None
    if start.startswith(_OTHER_MARKS):
        raise UsageError(
            f"the archive {path.name} is compressed, and not by gzip: expected a .tar or .tar.gz, "
            "whose members can be read in place; unpack it, or write it again in one of these"
        )
    return start.startswith(_GZIP_MARK)
