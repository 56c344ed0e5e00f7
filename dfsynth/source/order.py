"""Byte order and uniqueness of image ids, in little memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
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


def require_unique(
    ids: Iterable[Column], where: str, places: Iterable[Column] | None = None
) -> None:
    """Requires that no id comes twice. Only hashes (8 bytes an id) are kept of them.

    Args:
        ids: Chunks of the ids, which are gone through again where two hashes agree.
        where: What was listed, for the message.
        places: Where each lies, chunk for chunk, where that is not the id itself.

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


def _places_of(name: str, ids: Iterable[Column], places: Iterable[Column] | None) -> str:
    if places is None:
        return ""
    found = [
        place
        for chunk, where in zip(ids, places, strict=True)
        for place in where.filter(pc.equal(chunk, pa.scalar(name))).to_pylist()
    ]
    return f": {', '.join(map(str, found[:3]))}"


def _repeated_ids(ids: Iterable[Column]) -> list[tuple[str, int]]:
    hashes = np.fromiter(chain.from_iterable(map(hash, names) for names in _names(ids)), np.int64)
    hashes.sort()
    suspects = frozenset(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
    if not suspects:
        return []
    counts: Counter[str] = Counter(
        name for names in _names(ids) for name in names if hash(name) in suspects
    )
    return [(name, count) for name, count in counts.items() if count > 1]


def _names(ids: Iterable[Column]) -> Iterator[list[str]]:
    for chunk in ids:
        yield cast(list[str], chunk.to_pylist())
