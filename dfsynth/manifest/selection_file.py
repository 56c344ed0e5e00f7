"""A selection as one Parquet file that says how it was made."""

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from dfsynth.errors import StoreError, UsageError
from dfsynth.manifest.selection import Selection

PROVENANCE_KEY: Final = b"dfsynth.provenance"
"""Where the file's schema metadata holds the provenance, as a JSON object of strings."""


def write_selection(path: Path, selection: Selection, provenance: Mapping[str, str]) -> None:
    """Writes the selected rows, whole or not at all; an existing file is replaced.

    The rows keep the manifest's schema, descriptions and units included.

    Raises:
        UsageError: `path` is a folder, or lies in no folder.
        StoreError: the file cannot be written; what was there stays.
    """
    if path.is_dir():
        raise UsageError(f"cannot write the selection to {path}: it is a folder; name a file")
    if not path.parent.is_dir():
        raise UsageError(
            f"cannot write the selection to {path}: the folder {path.parent} does not exist"
        )
    described = json.dumps(dict(provenance), ensure_ascii=False, sort_keys=True)
    metadata = {**(selection.table.schema.metadata or {}), PROVENANCE_KEY: described.encode()}
    table = selection.table.replace_schema_metadata(metadata)
    try:
        _replace(path, table)
    except OSError as error:
        raise StoreError(
            f"cannot write the selection to {path}: {error.strerror or 'the disk refuses'}; "
            "check its permissions and the space left"
        ) from error


def _replace(path: Path, table: pa.Table) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as stream:
            pq.write_table(table, stream, compression="zstd")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    with suppress(OSError):
        _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
