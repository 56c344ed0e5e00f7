"""A selection as one file of the kind that its name says, with how it was made where that fits."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from dfsynth.files.output_file import writing_output
from dfsynth.manifest.selection import Selection

PROVENANCE_KEY: Final = b"dfsynth.provenance"
"""Where a Parquet file's schema metadata holds the provenance, as a JSON object of strings."""
LIST_SEPARATOR: Final = "|"
"""Between the values of a list in a CSV field, as the tables of NIH ChestX-ray14 have it."""
_ROWS_A_BATCH: Final = 4096


def write_selection(path: Path, selection: Selection, provenance: Mapping[str, str]) -> None:
    """Writes the selected rows, whole or not at all; an existing file is replaced.

    `.parquet` keeps the manifest's schema, descriptions and units included, and the provenance;
    `.json` is one object of `provenance` and `rows`; `.csv` has the rows alone, lists joined by
    `LIST_SEPARATOR`.

    Raises:
        UsageError: `path` is a folder or no regular file, or lies in no folder.
        StoreError: the file cannot be written; what was there stays.
        KeyError: the name ends in none of `options.SELECTION_SUFFIXES`.
    """
    write = WRITERS[path.suffix.lower()]
    with writing_output(path, "the selection") as stream:
        write(selection.table, provenance, stream)


def _write_parquet(table: pa.Table, provenance: Mapping[str, str], stream: BinaryIO) -> None:
    described = json.dumps(dict(provenance), ensure_ascii=False, sort_keys=True)
    metadata = {**(table.schema.metadata or {}), PROVENANCE_KEY: described.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), stream, compression="zstd")


def write_csv(table: pa.Table, stream: BinaryIO) -> None:
    """Writes rows of a manifest as CSV, lists joined by `LIST_SEPARATOR`.

    Raises:
        OSError: the system refuses.
    """
    for index, field in enumerate(table.schema):
        if pa.types.is_list(field.type):
            joined: Any = pc.binary_join(table[field.name], LIST_SEPARATOR)
            table = table.set_column(index, field.name, joined)
    pyarrow.csv.write_csv(table, stream)


def _write_json(table: pa.Table, provenance: Mapping[str, str], stream: BinaryIO) -> None:
    entries = {name: json.loads(value) for name, value in provenance.items()}
    stream.write(b'{"provenance": ' + _encode(entries) + b',\n"rows": [')
    between = b"\n"
    for batch in table.to_batches(max_chunksize=_ROWS_A_BATCH):
        for row in batch.to_pylist():
            stream.write(between + _encode(row))
            between = b",\n"
    stream.write(b"\n]}\n")


def _encode(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


WRITERS: Final[Mapping[str, Callable[[pa.Table, Mapping[str, str], BinaryIO], None]]] = {
    ".parquet": _write_parquet,
    ".csv": lambda table, _provenance, stream: write_csv(table, stream),
    ".json": _write_json,
}
"""Ending, in lower case → what writes such a file."""
