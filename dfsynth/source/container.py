"""What every container of images offers: archives and Parquet shards."""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from dfsynth.files.object_path import AnyPath
from dfsynth.records import SourceItem
from dfsynth.source.order import in_byte_order
from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column, text_column


@dataclass(frozen=True, slots=True)
class Members:
    """The images of one container, in the order of the plan."""

    columns: Mapping[str, ChunkedColumn]
    """Columns of a listing; `image_id` and `uri` at least, unique in the container."""
    excluded: Counter[str] = field(default_factory=Counter)
    warnings: tuple[str, ...] = ()
    has_own_ids: bool = False
    """Whether the ids were given, so that they stay as they are among other containers."""


class Container(Protocol):
    """A file that holds many images; listed once, then read member by member from many threads."""

    path: AnyPath

    def members(self) -> Members:
        """What there is, without decoding an image.

        Raises:
            DfsynthError: unreadable, or damaged.
            UsageError: it is of a kind that cannot be read.
        """

    def read(self, item: SourceItem, max_bytes: int) -> bytes:
        """The bytes of a member, `uri` as `members` gave it; thread-safe.

        Raises:
            ImageError: this member cannot be read.
            DfsynthError: the container is gone or was replaced, or the machine fails.
        """


class MemberList:
    """Names, and places where there are any, of many members in little memory."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._chunks: list[Column] = []
        self._offsets = array("q")
        self._sizes = array("q")

    def append(self, name: str, offset: int, size_bytes: int) -> None:
        """Adds a member."""
        self._names.append(name)
        self._offsets.append(offset)
        self._sizes.append(size_bytes)
        if len(self._names) >= CHUNK_ROWS:
            self._flush()

    def columns(self) -> dict[str, ChunkedColumn]:
        """image_id, offset and size_bytes in the order in which they came."""
        self._flush()
        return {
            "image_id": pa.chunked_array(self._chunks, pa.string()),
            "offset": pa.chunked_array([pa.array(self._offsets, pa.int64())]),
            "size_bytes": pa.chunked_array([pa.array(self._sizes, pa.int64())]),
        }

    def _flush(self) -> None:
        self._chunks.append(text_column(self._names))
        self._names = []


def sorted_columns(columns: Mapping[str, ChunkedColumn]) -> dict[str, ChunkedColumn]:
    """The rows by the bytes of their image_id."""
    chunks = list(in_byte_order(columns))
    return {
        name: pa.chunked_array([chunk[name] for chunk in chunks], column.type)
        for name, column in columns.items()
    }
