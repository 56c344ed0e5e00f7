"""One manifest part: the rows of one run shard as Parquet bytes, and back."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.files.parquet_checksum import checksummed_writer
from dfsynth.manifest.pairs import check_parameters, pair_schema
from dfsynth.manifest.schema import (
    COLUMNS,
    IMAGE_SCHEMAS,
    IMAGES,
    IMAGES_KIND,
    KIND_KEY,
    VERSION_KEY,
    ManifestSchema,
    require_names,
)
from dfsynth.records import ManifestRow, PairRow
from dfsynth.score import NO_SCORES
from dfsynth.tasks import task_names


def encode_part(rows: Sequence[ManifestRow | PairRow], schema: ManifestSchema = IMAGES) -> bytes:
    """Parquet bytes of the rows in the given order; equal rows give equal bytes.

    Every part has the same columns and types, those that hold nothing but nulls included, so
    that a folder of parts is one data set. The caller makes the bytes a durable file. Scores that
    came after the version of `schema` are left out.

    Raises:
        StoreError: A value does not fit its column, or a score or parameter is unknown or
            missing.
    """
    # Descriptions stay out of the parts: forty thousand copies of them are 240 MB.
    bare = [field.remove_metadata() for field in schema.arrow]
    columns = _columns(rows, schema)
    sink = io.BytesIO()
    try:
        arrays = [pa.array(values, field.type) for field, values in zip(bare, columns, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=pa.schema(bare, schema.metadata))
        # In 256 rows a dictionary saves nothing that zstd does not, and costs time: only where
        # readers need one.
        dictionaries: Any = schema.dictionaries  # names will do, though its types want a bool
        open_writer: Any = checksummed_writer if schema.checksummed else pq.ParquetWriter
        with open_writer(
            sink, table.schema, compression="zstd", use_dictionary=dictionaries
        ) as writer:
            writer.write_table(table)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise StoreError(_misfit(rows, schema)) from error
    return sink.getvalue()


def read_part(path: Path, expected: ManifestSchema | None = None) -> pa.Table:
    """The rows of one part in the newest version of its schema, in the order of writing.

    Columns that came after the version of the part are null.

    Raises:
        StoreError: the file is missing or damaged, or of another kind or version than `expected`,
            or than any that is known.
    """
    try:
        table = pq.read_table(path, partitioning=None, page_checksum_verification=True)
        table.validate(full=True)
    except FileNotFoundError as error:
        raise StoreError(f"manifest part {path} is missing; run the build again") from error
    # A name of a column that is no text any more is a UnicodeDecodeError.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise StoreError(
            f"manifest part {path} cannot be read: found no whole Parquet file; "
            "`dfsynth verify --repair` re-queues its shard"
        ) from error
    newest = newest_version(check_schema(path, table.schema, expected)).arrow
    columns = [
        table[field.name]
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in newest
    ]
    return pa.Table.from_arrays(columns, schema=newest)


def newest_version(schema: ManifestSchema) -> ManifestSchema:
    """The schema of the same kind that new stores have."""
    versions = _schemas()[schema.kind]
    newest = max(versions)
    return schema if schema.version == newest else versions[newest]


def check_schema(
    path: Path, found: pa.Schema, expected: ManifestSchema | None = None
) -> ManifestSchema:
    """The schema of the part `path`, whose Arrow schema is `found`.

    Raises:
        StoreError: it is of another kind or version than `expected`, or than any that is known, or
            has other columns.
    """
    metadata = found.metadata or {}
    kind = metadata.get(KIND_KEY, IMAGES_KIND.encode()).decode(errors="replace")
    if kind not in _schemas() or (expected is not None and kind != expected.kind):
        known = ", ".join(_schemas()) if expected is None else expected.kind
        raise StoreError(f"manifest part {path} holds {kind!r}; expected {known}")
    versions = _schemas()[kind] if expected is None else {expected.version: expected}
    version = metadata.get(VERSION_KEY, b"none").decode(errors="replace")
    schema = {str(number): known for number, known in versions.items()}.get(version)
    if schema is None:
        whose = "this dfsynth reads" if expected is None else "its store has"
        raise StoreError(
            f"manifest part {path} has schema version {version}; {whose} version "
            f"{' or '.join(map(str, versions))}"
        )
    if not found.equals(schema.arrow):
        raise StoreError(
            f"manifest part {path} has other columns than schema version {schema.version}: "
            "it was changed after it was written; `dfsynth verify --repair` re-queues its shard"
        )
    return schema


def rows_of(table: pa.Table) -> tuple[ManifestRow, ...]:
    """The rows of a table in the newest schema of images as records.

    A float32 column comes back as the floats nearest to what was written.
    """
    lists = [column.name for column in COLUMNS if column.type == "list<string>"]
    rows = []
    for values in table.to_pylist():
        for name in lists:
            values[name] = None if values[name] is None else tuple(values[name])
        scores = {name: values.pop(name) for name in NO_SCORES}
        rows.append(ManifestRow(**values, scores=scores))
    return tuple(rows)


@cache
def _schemas() -> Mapping[str, Mapping[int, ManifestSchema]]:
    """Kind → version → schema."""
    pairs = map(pair_schema, task_names())
    return {IMAGES.kind: IMAGE_SCHEMAS} | {one.kind: {one.version: one} for one in pairs}


def _columns(rows: Sequence[ManifestRow | PairRow], schema: ManifestSchema) -> list[list[Any]]:
    """The values of the rows, column by column."""
    values = [_values(row, schema) for row in rows]
    return [[row[column.name] for row in values] for column in schema.columns]


def _values(row: ManifestRow | PairRow, schema: ManifestSchema) -> dict[str, Any]:
    """The values of one row by the names of their columns, and some more."""
    own = {field.name: getattr(row, field.name) for field in fields(row)}
    if isinstance(row, PairRow):
        check_parameters(schema, row.parameters)
        return own | dict(row.parameters)
    require_names(row.scores, NO_SCORES, "scores of an image")
    return own | dict(row.scores)


def _misfit(rows: Sequence[ManifestRow | PairRow], schema: ManifestSchema) -> str:
    for field, values in zip(schema.arrow, _columns(rows, schema), strict=True):
        for row, value in zip(rows, values, strict=True):
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
