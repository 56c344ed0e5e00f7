"""CSV and Parquet tables, chunk by chunk, as columns of text."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from dfsynth.errors import UsageError
from dfsynth.source import columns
from dfsynth.source.schema import CHUNK_ROWS, Column

TABLE_SUFFIXES = (".csv", ".parquet")


def key(header: str) -> str:
    """A header as it is compared: without case, and with `_` for blanks and hyphens."""
    return header.strip().casefold().replace(" ", "_").replace("-", "_")


def headers(path: Path) -> list[str]:
    """The column names of a table, in order.

    Raises:
        UsageError: no such file, not readable, or empty.
    """
    if path.suffix.lower() == ".parquet":
        with _parquet(path) as table:
            return list(table.schema_arrow.names)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next(csv.reader(file, delimiter=_delimiter(path)), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        raise _unreadable(path, "expected a CSV file in UTF-8 that this user may read") from None
    if not first:
        raise _unreadable(path, "found an empty file; expected a line of column names")
    return first


def read_columns(path: Path, wanted: Mapping[str, str]) -> Iterator[dict[str, Column]]:
    """Columns of a table: our name → the table's header; at most `CHUNK_ROWS` rows at a time.

    Values are text (null where they say nothing), but for findings that are lists.

    Raises:
        UsageError: a header that comes twice, or a table that cannot be read to its end.
    """
    positions = _positions(path, wanted)
    batches = _csv_batches if path.suffix.lower() != ".parquet" else _parquet_batches
    try:
        for batch in batches(path, list(positions.values())):
            for start in range(0, batch.num_rows, CHUNK_ROWS):
                part = batch.slice(start, CHUNK_ROWS)
                yield {name: _values(name, part.column(i)) for i, name in enumerate(positions)}
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        raise _unreadable(
            path,
            "expected rows of as many fields as there are column names, in UTF-8, and columns of "
            "text, numbers or lists of text",
        ) from None


def _positions(path: Path, wanted: Mapping[str, str]) -> dict[str, int]:
    found = headers(path)
    for header in wanted.values():
        if found.count(header) > 1:
            raise _unreadable(path, f"the column {header!r} comes twice; expected it once")
    return {name: found.index(header) for name, header in wanted.items()}


def _values(name: str, values: Column) -> Column:
    if name == "findings" and columns.is_lists(values):
        return values.cast(pa.list_(pa.string()))
    return columns.texts(values)


def _csv_batches(path: Path, positions: list[int]) -> Iterator[pa.RecordBatch]:
    # Columns go by number: a table may hold further columns of one and the same name.
    names = [str(i) for i in range(len(headers(path)))]
    wanted = [str(i) for i in positions]
    if not _has_rows(path):
        return
    with pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
        pyarrow.csv.ParseOptions(delimiter=_delimiter(path)),
        pyarrow.csv.ConvertOptions(
            include_columns=wanted, column_types={name: pa.string() for name in wanted}
        ),
    ) as reader:
        yield from reader


def _parquet_batches(path: Path, positions: list[int]) -> Iterator[pa.RecordBatch]:
    with _parquet(path) as table:
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


def _has_rows(path: Path) -> bool:
    with path.open("rb") as file:
        file.readline()
        return bool(file.readline())


def _delimiter(path: Path) -> str:
    """Comma, but for tables that a spreadsheet wrote with semicolons or tabs."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline()
    if "," in first:
        return ","
    return next((mark for mark in (";", "\t") if mark in first), ",")


def _unreadable(path: Path, found_and_expected: str) -> UsageError:
    return UsageError(f"cannot read the table {path.name}: {found_and_expected}; mend the table")
