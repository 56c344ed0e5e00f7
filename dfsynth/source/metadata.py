"""CSV, TSV, Parquet and JSON-lines tables, chunk by chunk, as columns of text."""

import csv
import gzip
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from dfsynth.errors import UsageError
from dfsynth.files.object_path import AnyPath
from dfsynth.source import columns
from dfsynth.source.schema import CHUNK_ROWS, Column

_SUFFIXES: Final = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet")
_MARKS: Final = (",", ";", "\t")
_BLOCK_BYTES: Final = 2 * 1024**2
"""A row must fit in it."""


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a table of text is written, where that is not as usual."""

    headers: tuple[str, ...] = ()
    """Where the file has no line of column names; longer rows are cut, shorter ones filled."""
    separator: str = ""
    """Between columns; empty to find out; a blank stands for any number of blanks."""
    encoding: str = "utf-8"


_USUAL: Final = TextFormat()


_JSON_LINES: Final = (".json", ".jsonl")


def is_table(name: str) -> bool:
    """Whether a file of this name is a table."""
    return name.lower().endswith(_SUFFIXES)


def key(header: str) -> str:
    """A header as it is compared: without case, and with `_` for blanks and hyphens."""
    return header.strip().casefold().replace(" ", "_").replace("-", "_")


def headers(path: Path, form: TextFormat = _USUAL) -> list[str]:
    """The column names of a table, in order.

    Raises:
        UsageError: no such file, not readable, or empty.
    """
    if form.headers:
        return list(form.headers)
    if path.suffix.lower() == ".parquet":
        with _parquet(path) as table:
            return list(table.schema_arrow.names)
    if path.suffix.lower() in _JSON_LINES:
        return list(_json_lines(path).column_names)
    try:
        with _text(path, form) as file:
            first = next(csv.reader(file, delimiter=_separator(path, form)), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        raise _unreadable(
            path, f"expected a CSV file in {form.encoding.upper()} that this user may read"
        ) from None
    if not first:
        raise _unreadable(path, "found an empty file; expected a line of column names")
    return first


def read_columns(
    path: Path, wanted: Mapping[str, str], form: TextFormat = _USUAL
) -> Iterator[dict[str, Column]]:
    """Columns of a table: our name → the table's header; at most `CHUNK_ROWS` rows at a time.

    Values are text (null where they say nothing), but for findings that are lists.

    Raises:
        UsageError: a header that comes twice, or a table that cannot be read to its end.
    """
    positions = _positions(headers(path, form), path, wanted)
    try:
        yield from _chunks(_batches(path, list(positions.values()), form), positions)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, csv.Error):
        raise _unreadable(
            path,
            "expected rows of as many fields as there are column names, in "
            f"{form.encoding.upper()}, and columns of text, numbers or lists of text",
        ) from None


def read_parquet_columns(
    table: pq.ParquetFile, path: AnyPath, wanted: Mapping[str, str]
) -> Iterator[dict[str, Column]]:
    """As `read_columns`, of a Parquet file that is open; `path` is for messages.

    Raises:
        UsageError: as `read_columns`.
    """
    positions = _positions(list(table.schema_arrow.names), path, wanted)
    try:
        yield from _chunks(_parquet_batches(table, list(positions.values())), positions)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise _unreadable(
            path, "expected a Parquet file with columns of text, numbers or lists of text"
        ) from None


def _chunks(
    batches: Iterable[pa.RecordBatch], positions: Mapping[str, int]
) -> Iterator[dict[str, Column]]:
    for batch in batches:
        for start in range(0, batch.num_rows, CHUNK_ROWS):
            part = batch.slice(start, CHUNK_ROWS)
            yield {name: _values(name, part.column(i)) for i, name in enumerate(positions)}


def _positions(found: list[str], path: AnyPath, wanted: Mapping[str, str]) -> dict[str, int]:
    counts = Counter(found)
    for header in wanted.values():
        if counts[header] > 1:
            raise _unreadable(path, f"the column {header!r} comes twice; expected it once")
    return {name: found.index(header) for name, header in wanted.items()}


def _values(name: str, values: Column) -> Column:
    if name == "findings" and columns.is_lists(values):
        return values.cast(pa.list_(pa.string()))
    return columns.texts(values)


def _batches(path: Path, positions: list[int], form: TextFormat) -> Iterator[pa.RecordBatch]:
    if path.suffix.lower() == ".parquet":
        with _parquet(path) as table:
            yield from _parquet_batches(table, positions)
    elif path.suffix.lower() in _JSON_LINES:
        lines = _json_lines(path)
        yield from lines.select(positions).to_batches(CHUNK_ROWS)
    elif form.headers:
        yield from _ragged_batches(path, positions, form)
    else:
        yield from _csv_batches(path, positions, form)


def _csv_batches(path: Path, positions: list[int], form: TextFormat) -> Iterator[pa.RecordBatch]:
    # Columns go by number: a table may hold further columns of one and the same name.
    names = [str(i) for i in range(len(headers(path, form)))]
    wanted = [str(i) for i in positions]
    if not _has_rows(path, form):
        return
    with pyarrow.csv.open_csv(
        _content(path),
        pyarrow.csv.ReadOptions(
            block_size=_BLOCK_BYTES,
            column_names=names,
            skip_rows_after_names=1,
            encoding=form.encoding,
        ),
        pyarrow.csv.ParseOptions(delimiter=_separator(path, form), newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            include_columns=wanted, column_types={name: pa.string() for name in wanted}
        ),
    ) as reader:
        yield from reader


def _ragged_batches(path: Path, positions: list[int], form: TextFormat) -> Iterator[pa.RecordBatch]:
    """Rows of any length, below headers that the file lacks: for small tables."""
    with _text(path, form) as file:
        rows = [row for row in _split_rows(file, _separator(path, form)) if any(row)]
    cells = [[row[i] if i < len(row) else None for row in rows] for i in positions]
    arrays = [pa.array(column, pa.string()) for column in cells]
    yield pa.RecordBatch.from_arrays(arrays, [str(i) for i in positions])


def _split_rows(file: io.TextIOBase, separator: str) -> Iterator[list[str]]:
    if separator == " ":
        return (re.split(r" +", line.strip()) for line in file.read().splitlines())
    return csv.reader(file, delimiter=separator)


def _parquet_batches(table: pq.ParquetFile, positions: list[int]) -> Iterator[pa.RecordBatch]:
    names = [table.schema_arrow.names[i] for i in positions]
    for batch in table.iter_batches(CHUNK_ROWS, columns=names):
        chosen = batch.select(names)
        chosen.validate(full=True)  # text that is no UTF-8 would end the run later
        yield chosen


def _parquet(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise _unreadable(path, "expected a Parquet file that this user may read") from None


def _json_lines(path: Path) -> pa.Table:
    try:
        return pyarrow.json.read_json(path)
    except (pa.ArrowException, OSError):
        raise _unreadable(path, "expected one JSON object a line, in UTF-8") from None


def _text(path: Path, form: TextFormat) -> io.TextIOWrapper:
    """The decompressed text; a byte order mark is left out, line ends stay."""
    encoding = "utf-8-sig" if form.encoding == "utf-8" else form.encoding
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _content(path: Path) -> IO[Any] | str:
    """The decompressed bytes; Arrow itself knows `.gz` in small letters only."""
    return cast(IO[Any], gzip.open(path)) if path.suffix.lower() == ".gz" else str(path)


def _has_rows(path: Path, form: TextFormat) -> bool:
    with _text(path, form) as file:
        rows = csv.reader(file, delimiter=_separator(path, form))
        next(rows, None)
        return any(row for row in rows)


def _separator(path: Path, form: TextFormat) -> str:
    """A tab by the file's suffix, or what comes most often in the first line outside quotes."""
    if form.separator:
        return form.separator
    if path.name.lower().endswith((".tsv", ".tsv.gz")):
        return "\t"
    with _text(path, form) as file:
        line = re.sub(r'"[^"]*"', "", file.readline())
    return max(_MARKS, key=line.count)


def _unreadable(path: AnyPath, found_and_expected: str) -> UsageError:
    return UsageError(f"cannot read the table {path.name}: {found_and_expected}; mend the table")
