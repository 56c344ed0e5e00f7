"""One manifest part: the rows of one run shard as Parquet bytes, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.manifest.schema import COLUMNS, SCHEMA, SCHEMA_VERSION, VERSION_KEY
from dfsynth.records import ManifestRow

# Descriptions stay out of the parts: forty thousand copies of them are 240 MB.
PART_SCHEMA: Final = pa.schema(
    [field.remove_metadata() for field in SCHEMA], {VERSION_KEY: str(SCHEMA_VERSION).encode()}
)


def encode_part(rows: Sequence[ManifestRow]) -> bytes:
    """Parquet bytes of the rows in the given order; equal rows give equal bytes.

    Every part has the same columns and types, those that hold nothing but nulls included, so
    that a folder of parts is one data set. The caller makes the bytes a durable file.

    Raises:
        StoreError: a value does not fit its column.
    """
    sink = pa.BufferOutputStream()
    try:
        arrays = [
            pa.array([getattr(row, field.name) for row in rows], field.type)
            for field in PART_SCHEMA
        ]
        table = pa.Table.from_arrays(arrays, schema=PART_SCHEMA)
        # In 256 rows a dictionary saves nothing that zstd does not, and costs time.
        pq.write_table(table, sink, compression="zstd", use_dictionary=False)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise StoreError(_misfit(rows)) from error
    return sink.getvalue().to_pybytes()


def read_part(path: Path) -> pa.Table:
    """The rows of one part in the order in which they were written.

    Raises:
        StoreError: the file is missing, damaged, or of another schema version.
    """
    try:
        table = pq.read_table(path, partitioning=None)
    except FileNotFoundError as error:
        raise StoreError(f"manifest part {path} is missing; run the build again") from error
    except (pa.ArrowException, OSError) as error:
        raise StoreError(
            f"manifest part {path} cannot be read: found no whole Parquet file; "
            "`dfsynth verify --repair` re-queues its shard"
        ) from error
    check_schema(path, table.schema)
    return pa.Table.from_arrays(table.columns, schema=SCHEMA)


def check_schema(path: Path, found: pa.Schema) -> None:
    """Passes a schema that this version of dfsynth writes.

    Raises:
        StoreError: it has another version, or other columns.
    """
    version = (found.metadata or {}).get(VERSION_KEY)
    if version != str(SCHEMA_VERSION).encode():
        known = "none" if version is None else version.decode(errors="replace")
        raise StoreError(
            f"manifest part {path} has schema version {known}; this dfsynth reads version "
            f"{SCHEMA_VERSION}"
        )
    if not found.equals(SCHEMA):
        raise StoreError(
            f"manifest part {path} has other columns than schema version {SCHEMA_VERSION}: "
            "it was changed after it was written; `dfsynth verify --repair` re-queues its shard"
        )


def rows_of(table: pa.Table) -> tuple[ManifestRow, ...]:
    """The rows of a manifest table as records; float32 columns come back as their floats."""
    lists = [column.name for column in COLUMNS if column.type == "list<string>"]
    values = table.to_pylist()
    for row in values:
        for name in lists:
            row[name] = None if row[name] is None else tuple(row[name])
    return tuple(ManifestRow(**row) for row in values)


def _misfit(rows: Sequence[ManifestRow]) -> str:
    for field in SCHEMA:
        for row in rows:
            value = getattr(row, field.name)
            try:
                pa.array([value], field.type)
            except (pa.ArrowException, OverflowError, TypeError):
                reason = f"found a {type(value).__name__} that {field.type} cannot take"
            else:
                if field.nullable or value is not None:
                    continue
                reason = "found null, which this column never holds"
            return f"row {row.row} of the manifest does not fit column {field.name!r}: {reason}"
    return "the rows do not fit the manifest's schema"
