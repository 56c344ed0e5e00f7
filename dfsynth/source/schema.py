"""What every source lists: Arrow batches in a spool, so that ten million inputs stay small."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.files.row_spool import RowSpool

if TYPE_CHECKING:
    Column: TypeAlias = pa.Array[Any]
    ChunkedColumn: TypeAlias = pa.ChunkedArray[Any]
else:
    # Arrow's classes take no type arguments while the program runs.
    Column = pa.Array
    ChunkedColumn = pa.ChunkedArray

CHUNK_ROWS: Final = 65_536
"""Most rows in one chunk of a listing."""

_FIELDS: "tuple[pa.Field[Any], ...]" = (
    pa.field("image_id", pa.string(), nullable=False),
    pa.field("uri", pa.string(), nullable=False),
    pa.field("offset", pa.int64()),
    pa.field("size_bytes", pa.int64()),
    pa.field("patient_id", pa.string()),
    pa.field("view", pa.string()),
    pa.field("sex", pa.string()),
    pa.field("age", pa.float32()),
    pa.field("findings", pa.list_(pa.string())),
    pa.field("findings_negative", pa.list_(pa.string())),
    pa.field("findings_uncertain", pa.list_(pa.string())),
    pa.field("split", pa.string()),
    pa.field("width_mm", pa.float32()),
    pa.field("height_mm", pa.float32()),
    pa.field("pixel_mm", pa.float32()),
)

LISTING_SCHEMA: Final = pa.schema(_FIELDS)
"""The columns of `dfsynth.records.SourceItem` but row and shard, which the plan adds."""


def text_column(texts: Sequence[str]) -> Column:
    """Texts as an Arrow column of exactly their size.

    Arrow's own builder leaves up to half of what it allocated unused, which would double the
    memory of a long listing.
    """
    encoded = [text.encode() for text in texts]
    ends = np.zeros(len(encoded) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    return pa.StringArray.from_buffers(
        len(encoded), pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(encoded))
    )


def in_chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts, at most `CHUNK_ROWS` at a time."""
    waiting = iter(texts)
    while chunk := list(islice(waiting, CHUNK_ROWS)):
        yield chunk


def joined(*parts: Column | str) -> Column:
    """Texts put together row by row; null where one of them is."""
    texts = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    options = pc.JoinOptions("emit_null")
    return pc.call_function("binary_join_element_wise", [*texts, pa.scalar("")], options)


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything that one source holds, found without opening an image."""

    rows: RowSpool
    """`LISTING_SCHEMA`, one row for each input, in the order of the plan."""
    excluded: Mapping[str, int] = field(default_factory=dict)
    """What is no input: reason → count, for example {"hidden": 2}."""
    warnings: tuple[str, ...] = ()
    """Sentences for the user; they name nothing outside the source."""

    @property
    def table(self) -> pa.Table:
        """All rows in memory at once, for sources that are known to be small."""
        return self.rows.table()


class ListingBuilder:
    """Grows rows of `LISTING_SCHEMA` chunk by chunk."""

    def __init__(self) -> None:
        self._nulls = {f.name: pa.nulls(CHUNK_ROWS, f.type) for f in LISTING_SCHEMA}
        self._spool = RowSpool(LISTING_SCHEMA)
        self._paths: list[str] = []

    def add(self, columns: Mapping[str, Column]) -> None:
        """Append rows; columns that are not given are null. At most `CHUNK_ROWS` at a time."""
        self._flush(len(self._paths))
        self._append(columns)

    def _append(self, columns: Mapping[str, Column]) -> None:
        rows = len(columns["image_id"])
        arrays = [columns.get(name, self._nulls[name].slice(0, rows)) for name in self._nulls]
        self._spool.append(pa.RecordBatch.from_arrays(arrays, schema=LISTING_SCHEMA))

    def add_paths(self, paths: Sequence[str]) -> None:
        """Append inputs whose path is their id; small runs are gathered into whole chunks."""
        self._paths.extend(paths)
        while len(self._paths) >= CHUNK_ROWS:
            self._flush(CHUNK_ROWS)

    def _flush(self, rows: int) -> None:
        if not rows:
            return
        ids = text_column(self._paths[:rows])
        del self._paths[:rows]
        self._append({"image_id": ids, "uri": ids})

    def rows(self) -> RowSpool:
        """All rows so far; no more are added afterwards."""
        self._flush(len(self._paths))
        return self._spool
