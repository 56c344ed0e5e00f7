"""Byte order and uniqueness of image ids, in little memory."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dfsynth.errors import UsageError
from dfsynth.source.schema import CHUNK_ROWS, ChunkedColumn, Column, text_column


class NameSorter:
    """Gathers names and hands them back in byte order.

    Many names are kept as Arrow arrays, which take a quarter of the memory of Python strings.
    Arrow compares the bytes of UTF-8; Python compares code points; both orders are the same.
    """

    def __init__(self) -> None:
        self._chunks: list[Column] = []
        self._tail: list[str] = []

    def append(self, name: str) -> None:
        self._tail.append(name)
        if len(self._tail) >= CHUNK_ROWS:
            self._chunks.append(text_column(self._tail))
            self._tail = []

    def blocks(self) -> Iterator[list[str]]:
        """The names in order, at most `CHUNK_ROWS` at a time; afterwards the sorter is empty."""
        tail, self._tail = self._tail, []
        if not self._chunks:
            if tail:
                yield sorted(tail)
            return
        chunks = [*self._chunks, text_column(tail)]
        self._chunks = []
        # A large string may pass 2 GB.
        names = pa.chunked_array(chunks).cast(pa.large_string()).combine_chunks()
        del chunks
        order = pc.sort_indices(names)
        for start in range(0, len(order), CHUNK_ROWS):
            yield cast(list[str], names.take(order.slice(start, CHUNK_ROWS)).to_pylist())


def in_byte_order(columns: Mapping[str, ChunkedColumn]) -> Iterator[dict[str, Column]]:
    """The rows of `columns` by the bytes of their image_id, `CHUNK_ROWS` at a time."""
    whole = {name: _one_array(column) for name, column in columns.items()}
    order = pc.sort_indices(whole["image_id"])
    for start in range(0, len(order), CHUNK_ROWS):
        part = order.slice(start, CHUNK_ROWS)
        yield {name: array.take(part) for name, array in whole.items()}


def _one_array(column: ChunkedColumn) -> Column:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def require_unique(ids: ChunkedColumn, where: str, places: ChunkedColumn | None = None) -> None:
    """Requires that no id comes twice; `where` names what was listed, for the message.

    `places` says where each lies, where that is not the id itself. Only hashes (8 bytes an id)
    are sorted; ids are compared where two hashes agree.

    Raises:
        UsageError: naming the first ids that come more than once.
    """
    repeated = _repeated_ids(ids)
    if not repeated:
        return
    shown = ", ".join(
        f"{name!r} ({count} times{_places_of(name, ids, places)})" for name, count in repeated[:3]
    )
    more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""
    raise UsageError(
        f"image ids come more than once in {where}: {shown}{more}; every image needs an id of "
        "its own: remove the copies, or give a narrower source"
    )


def _places_of(name: str, ids: ChunkedColumn, places: ChunkedColumn | None) -> str:
    if places is None:
        return ""
    found = places.filter(pc.equal(ids, pa.scalar(name))).slice(0, 3).to_pylist()
    return f": {', '.join(map(str, found))}"


def _repeated_ids(ids: ChunkedColumn) -> list[tuple[str, int]]:
    hashes = np.fromiter(
        (hash(name) for name in _names(ids)),
        dtype=np.int64,
        count=len(ids),
    )
    hashes.sort()
    suspects = frozenset(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    if not suspects:
        return []
    counts: Counter[str] = Counter(
        name
        for chunk in ids.chunks
        for name in cast(list[str], chunk.to_pylist())
        if hash(name) in suspects
    )
    return [(name, count) for name, count in counts.items() if count > 1]


def _names(ids: ChunkedColumn) -> Iterator[str]:
    for chunk in ids.chunks:
        yield from cast(list[str], chunk.to_pylist())
