"""An uncompressed tar, read in place: nothing is ever unpacked."""

import os
from array import array
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.records import SourceItem
from dfsynth.source import exclusion
from dfsynth.source.member import archive_gone, archive_replaced, archive_warnings, image_id_of
from dfsynth.source.naming import source_name
from dfsynth.source.order import in_byte_order, require_unique
from dfsynth.source.reading import read_range, require_no_machine_failure, require_size
from dfsynth.source.schema import (
    CHUNK_ROWS,
    ChunkedColumn,
    Column,
    Listing,
    ListingBuilder,
    text_column,
)
from dfsynth.source.tar_header import (
    BLOCK_BYTES,
    UNREADABLE,
    OpenTar,
    is_member,
    iterate,
    reason_to_exclude_header,
)

_COMPRESSION_MARKS = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


@dataclass(frozen=True, slots=True)
class TarSource:
    """Members of the tar `path`, by the bytes of their names; offset and size in the listing.

    Member names are names only: nothing is written, so a name with `..` or a leading `/` does
    no harm. Links and sparse members are left out.
    """

    path: Path
    license: str = "unknown"

    @property
    def name(self) -> str:
        return source_name("tar", self.path)

    @property
    def watched(self) -> tuple[Path, ...]:
        """See `Source`."""
        return (self.path,)

    def listing(self) -> Listing:
        """Every regular member.

        Raises:
            UsageError: compressed, no images, or a name that comes twice.
            DfsynthError: unreadable, or damaged before its end.
        """
        _require_uncompressed(self.path)
        excluded: Counter[str] = Counter()
        members = _Members()
        try:
            ended = self._scan(members, excluded)
        except UNREADABLE as error:
            if isinstance(error, OSError):
                require_no_machine_failure(error)
            raise _damaged(self.path) from None
        columns = members.columns()
        where = f"the archive {self.path.name}"
        exclusion.require_images(len(columns["image_id"]), where, excluded)
        require_unique(columns["image_id"], where)
        builder = ListingBuilder()
        for chunk in in_byte_order(columns):
            builder.add({**chunk, "uri": chunk["image_id"]})
        warnings = archive_warnings(excluded)
        if not ended:
            warnings = (*warnings, "the archive has no end mark; it may have been cut off")
        return Listing(builder.table(), dict(excluded), warnings)

    def _scan(self, members: "_Members", excluded: Counter[str]) -> bool:
        """Lists the members; False where the archive lacks its end mark."""
        with self.path.open("rb") as file, OpenTar.over(file) as tar:
            for member in iterate(tar):
                if member.isdir():
                    continue
                image_id = image_id_of(member.name)
                reason = reason_to_exclude_header(member) or exclusion.reason_to_exclude_member(
                    image_id
                )
                if reason:
                    excluded[reason] += 1
                else:
                    members.append(image_id, member.offset_data, member.size)
            return self._ends_at(tar.offset)

    def _ends_at(self, offset: int) -> bool:
        # tarfile takes a damaged header in the middle for the end; what is there tells.
        with self.path.open("rb") as file:
            file.seek(offset)
            block = file.read(BLOCK_BYTES)
        if block.strip(b"\0"):
            raise _damaged(self.path)
        return len(block) == BLOCK_BYTES

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The member's bytes, at the offset that the listing gave; safe from any thread.

        Raises:
            ImageError: unreadable, too_large, empty, truncated.
            DfsynthError: the archive is gone or was written anew, or the machine fails.
        """
        if item.offset is None or item.size_bytes is None:
            raise ImageError(ErrorCode.UNREADABLE, "the plan gives no place inside the archive")
        require_size(item.size_bytes, max_bytes)
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            require_no_machine_failure(error)
            raise archive_gone(self.path) from None
        try:
            if not is_member(descriptor, item.offset, item.size_bytes, item.uri):
                raise archive_replaced(self.path)
            content = read_range(descriptor, item.offset, item.size_bytes)
        except OSError as error:
            require_no_machine_failure(error)
            raise ImageError(ErrorCode.UNREADABLE, "the archive cannot be read here") from None
        finally:
            os.close(descriptor)
        if len(content) < item.size_bytes:
            raise ImageError(ErrorCode.TRUNCATED, "the archive ends inside this member")
        return content


class _Members:
    """Names, offsets and sizes of many members, in little memory."""

    def __init__(self) -> None:
        self._chunks: list[Column] = []
        self._names: list[str] = []
        self._offsets = array("q")
        self._sizes = array("q")

    def append(self, name: str, offset: int, size_bytes: int) -> None:
        self._names.append(name)
        self._offsets.append(offset)
        self._sizes.append(size_bytes)
        if len(self._names) >= CHUNK_ROWS:
            self._flush()

    def _flush(self) -> None:
        self._chunks.append(text_column(self._names))
        self._names = []

    def columns(self) -> dict[str, ChunkedColumn]:
        self._flush()
        return {
            "image_id": pa.chunked_array(self._chunks, pa.string()),
            "offset": pa.chunked_array([pa.array(self._offsets, pa.int64())]),
            "size_bytes": pa.chunked_array([pa.array(self._sizes, pa.int64())]),
        }


def _require_uncompressed(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(6)
    except OSError as error:
        require_no_machine_failure(error)
        raise archive_gone(path) from None
    if start.startswith(_COMPRESSION_MARKS):
        raise UsageError(
            f"the archive {path.name} is compressed: expected a plain tar, whose members can be "
            "read in place; unpack it, or write it again without compression"
        )


def _damaged(path: Path) -> DfsynthError:
    return DfsynthError(
        f"the archive {path.name} is damaged or is no tar: its members cannot be listed to the "
        "end; fetch or write it again, or unpack what is left of it and give that folder"
    )
