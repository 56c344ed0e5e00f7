"""A Parquet shard with the images' files inside, as `datasets` of Hugging Face writes them."""

import zlib
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dfsynth.errors import DfsynthError, ErrorCode, ImageError, UsageError
from dfsynth.files.object_file import ObjectRanges, Version, to_open_file
from dfsynth.files.object_path import AnyPath, ObjectPath
from dfsynth.records import SourceItem
from dfsynth.source import columns, metadata
from dfsynth.source.class_labels import labels_of
from dfsynth.source.container import Members
from dfsynth.source.member import archive_gone, archive_replaced
from dfsynth.source.reading import require_no_machine_failure, require_size
from dfsynth.source.schema import CHUNK_ROWS, Column, joined
from dfsynth.source.standard_columns import standard_headers, typed

_PAGES_BYTES: Final = 1 << 20
"""How much of a column is read at once: pages come one after the other, no row group whole."""
_RECENT_ROWS: Final = 64
_RECENT_BYTES: Final = 1 << 26
"""Rows read last are kept: threads ask for them in almost their order."""
_FOOTER_END: Final = 8
_USUAL_NAME: Final = "image"
_NAMES_OF_BYTES: Final = ("image", "image_bytes", "bytes", "png", "jpg", "jpeg", "dcm", "dicom")
"""Other bytes beside paths may be checksums."""


class ParquetShard:
    """The rows of the shard `path`, each with one image, in their order.

    The column of images holds structs of `bytes` and `path`, or plain bytes; it is `column`, else
    the one called image, else the only one. Columns of standard names give facts (see
    `standard_columns`), and numbered classes findings (see `class_labels`). A row is known by its
    image_id where there is such a column, else by its number and the file name inside. Rows have
    no names to be found again by, so the plan keeps a checksum of the shard's footer, which tells
    where every column lies.
    """

    def __init__(self, path: AnyPath, column: str | None = None) -> None:
        self.path = path
        self._column = column
        self._lock = Lock()
        self._rows: _Rows | None = None

    def members(self) -> Members:
        """One image for each row.

        Raises:
            UsageError: no column of images, several, or unreadable columns of facts.
            DfsynthError: the shard cannot be opened.
        """
        with self._lock:
            rows = self._opened()
        headers = standard_headers(rows.file.schema_arrow.names)
        unread: Counter[str] = Counter()
        chunks = [
            typed(chunk, unread)
            for chunk in metadata.read_parquet_columns(rows.file, self.path, headers)
        ]
        found = {
            name: pa.chunked_array([chunk[name] for chunk in chunks])
            for name in (headers if chunks else ())
        }
        labels = labels_of(rows.file.schema_arrow)
        if labels is not None and "findings" not in found:
            found["findings"] = labels.findings(rows.file)
        given = found.pop("image_id", None)
        ids = pa.chunked_array(list(rows.ids()), pa.string())
        uris = pa.chunked_array(list(rows.uris()), pa.string())
        return Members(
            {**found, "image_id": ids if given is None else pc.coalesce(given, ids), "uri": uris},
            warnings=columns.unread_sentences(unread),
            has_own_ids=given is not None,
        )

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The bytes of the row's image; safe from any thread, fast in the order of the rows.

        Raises:
            ImageError: missing, too_large, empty, corrupt.
            DfsynthError: the shard is gone or was written anew, or the machine fails.
        """
        row, _, checksum = item.uri.partition("@")
        with self._lock:
            rows = self._opened()
            if checksum != rows.checksum:
                raise archive_replaced(self.path)
            try:
                content = rows.read(int(row))
            except DfsynthError:
                self._rows = None
                raise
            except (pa.ArrowException, OSError, ValueError, StopIteration) as error:
                self._rows = None
                if isinstance(error, OSError):
                    require_no_machine_failure(error)
                if not _is_unchanged(self.path, rows.version):
                    raise archive_replaced(self.path) from None
                raise ImageError(ErrorCode.CORRUPT, "the shard's row cannot be read") from None
        if content is None:
            raise ImageError(ErrorCode.MISSING, "the shard's row holds no bytes of its image")
        require_size(len(content), max_bytes)
        return content

    def _opened(self) -> "_Rows":
        if self._rows is None:
            try:
                version = _version(self.path)
                checksum = _footer_checksum(self.path)
                file = pq.ParquetFile(
                    to_open_file(self.path), buffer_size=_PAGES_BYTES, pre_buffer=False
                )
            except pa.ArrowException:
                raise DfsynthError(
                    f"the shard {self.path.name} is damaged or is no Parquet file: its footer "
                    "cannot be read; fetch or write it again"
                ) from None
            except OSError as error:
                require_no_machine_failure(error)
                raise archive_gone(self.path) from None
            leaves = _leaves(self.path, file.schema_arrow, self._column)
            self._rows = _Rows(file, leaves, checksum, version)
        return self._rows


@dataclass(frozen=True, slots=True)
class _Leaves:
    """Where in a row the image's bytes lie, and what it is called."""

    content: str
    name: str | None


class _Rows:
    """The images of an open shard, read on from row to row; for one thread at a time."""

    def __init__(
        self, file: pq.ParquetFile, leaves: _Leaves, checksum: str, version: Version | None
    ) -> None:
        self.file = file
        self.checksum = checksum
        self.version = version
        self._leaves = leaves
        groups = range(file.metadata.num_row_groups)
        sizes = (file.metadata.row_group(group).num_rows for group in groups)
        self._first_rows = list(accumulate(sizes, initial=0))
        self._next = 0
        self._contents: Iterator[bytes | None] = iter(())
        self._group = -1
        self._recent: deque[tuple[int, bytes | None]] = deque()
        self._recent_bytes = 0

    def read(self, row: int) -> bytes | None:
        """The image of one row, None where there is none.

        Raises:
            pa.ArrowException, OSError: its page cannot be read.
            ValueError, StopIteration: there is no such row.
        """
        for number, content in self._recent:
            if number == row:
                return content
        group = bisect_right(self._first_rows, row) - 1
        if group != self._group or row < self._next:
            self._contents = self._contents_of(group)
            self._group, self._next = group, self._first_rows[group]
        while True:
            content = next(self._contents)
            self._remember(self._next, content)
            self._next += 1
            if self._next > row:
                return content

    def ids(self) -> Iterator[Column]:
        """Number, and file name where there is one, of each row."""
        start = 0
        for names in self._names():
            numbers = pa.array(range(start, start + len(names))).cast(pa.string())
            # Of a path only its end: the rest says where somebody's files lay.
            last = pc.replace_substring_regex(names, r"^.*[/\\]", "")
            yield pc.coalesce(joined(numbers, "/", last), numbers)
            start += len(names)

    def uris(self) -> Iterator[Column]:
        """Number of each row, and the checksum."""
        for start in range(0, self._first_rows[-1], CHUNK_ROWS):
            stop = min(start + CHUNK_ROWS, self._first_rows[-1])
            numbers = pa.array(range(start, stop)).cast(pa.string())
            yield joined(numbers, f"@{self.checksum}")

    def _names(self) -> Iterator[Column]:
        if self._leaves.name is None:
            for start in range(0, self._first_rows[-1], CHUNK_ROWS):
                yield pa.nulls(min(CHUNK_ROWS, self._first_rows[-1] - start), pa.string())
            return
        for batch in self.file.iter_batches(CHUNK_ROWS, columns=[self._leaves.name]):
            yield _leaf(batch).cast(pa.string())

    def _contents_of(self, group: int) -> Iterator[bytes | None]:
        batches = self.file.iter_batches(
            1, row_groups=[group], columns=[self._leaves.content], use_threads=False
        )
        for batch in batches:
            yield cast(bytes | None, _leaf(batch)[0].as_py())

    def _remember(self, row: int, content: bytes | None) -> None:
        self._recent.append((row, content))
        self._recent_bytes += len(content or b"")
        while len(self._recent) > _RECENT_ROWS or self._recent_bytes > _RECENT_BYTES:
            self._recent_bytes -= len(self._recent.popleft()[1] or b"")


def _leaf(batch: pa.RecordBatch) -> Column:
    """The one column, or the one field of it, that was asked for; null where its struct is."""
    column: Any = batch.column(0)
    return column.flatten()[0] if pa.types.is_struct(column.type) else column


def holds_images(schema: pa.Schema) -> bool:
    """Whether a Parquet file of this schema has a column of images that needs not be named."""
    return bool(_image_columns(schema))


def _image_columns(schema: pa.Schema) -> list[str]:
    """Structs with bytes; where there is none, columns of bytes that are called like images."""
    structs = [field.name for field in schema if _is_image_struct(field.type)]
    plain = (field.name for field in schema if _is_bytes(field.type))
    return structs or [name for name in plain if name.lower() in _NAMES_OF_BYTES]


def _is_image_struct(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind):
        return False
    place = kind.get_field_index("bytes")
    return place >= 0 and _is_bytes(kind.field(place).type)


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _leaves(path: AnyPath, schema: pa.Schema, wanted: str | None) -> _Leaves:
    found = _image_columns(schema)
    kinds = {field.name: field.type for field in schema}
    fits = found
    if wanted is not None:
        kind = kinds.get(wanted, pa.null())
        fits = [wanted] if _is_image_struct(kind) or _is_bytes(kind) else []
    if wanted is None and len(found) > 1 and _USUAL_NAME in found:
        fits = [_USUAL_NAME]
    if len(fits) != 1:
        raise UsageError(
            f"the shard {path.name} has {'several columns' if len(fits) > 1 else 'no column'} of "
            f"images{f' called {wanted!r}' if wanted else ''}: found "
            f"{', '.join(map(repr, found or schema.names))}; expected structs of bytes and path, "
            "or bytes; name one behind the path, as in shard.parquet::image"
        )
    kind = kinds[fits[0]]
    if not pa.types.is_struct(kind):
        return _Leaves(fits[0], None)
    has_path = kind.get_field_index("path") >= 0
    return _Leaves(f"{fits[0]}.bytes", f"{fits[0]}.path" if has_path else None)


def _version(path: AnyPath) -> Version | None:
    """Of an object; a file on a disk stays the one that was opened."""
    return ObjectRanges(path).version() if isinstance(path, ObjectPath) else None


def _is_unchanged(path: AnyPath, opened: Version | None) -> bool:
    return opened is None or _version(path) == opened


def _footer_checksum(path: AnyPath) -> str:
    """CRC-32 of the footer, as 8 hexadecimal digits; of a cut-off file of what is there."""
    found = to_open_file(path)
    with found.open("rb") if isinstance(found, Path) else found as file:
        size = file.seek(0, 2)
        file.seek(max(size - _FOOTER_END, 0))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(size - _FOOTER_END - length, 0))
        return f"{zlib.crc32(file.read(length)):08x}"
