"""The whole manifest of a store: all parts as one Arrow table."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from dfsynth.errors import StoreError
from dfsynth.manifest.parts import check_schema, newest_version, read_part
from dfsynth.manifest.schema import IMAGES, ManifestSchema

_VERIFYING: Final = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


def read_manifest(
    folder: Path, expected: ManifestSchema | None = None, columns: Collection[str] | None = None
) -> pa.Table:
    """Every committed row in the folder of parts, sorted by `row`.

    The columns are those of the newest version of the parts' schema; the ones that came after the
    parts' own version are null. A folder without parts gives a table without rows, of images unless
    another is expected.

    Args:
        folder: Holds the parts.
        expected: The schema that they must have; any that is known where there is none.
        columns: The names of those to read, `row` in any case; all where there are none. Other
            names are passed over, and damage in other columns stays unseen.

    Raises:
        StoreError: the folder is missing, or a part is damaged, or of another kind or version than
            `expected`, or than any that is known.
    """
    wanted = None if columns is None else {"row", *columns}
    table = _read_parts(folder, expected, wanted)
    rows = table["row"].to_numpy()
    if np.all(rows[1:] > rows[:-1]):
        return table
    return table.sort_by("row")


def read_failures(parts: Iterable[Path]) -> Counter[tuple[int, str]]:
    """How many rows of each shard failed, by (shard, error code), in these parts of one store.

    Raises:
        StoreError: a part is missing or damaged.
    """
    parts = list(parts)
    if not parts:
        return Counter()
    try:
        schema = check_schema(parts[0], pq.read_schema(parts[0])).arrow
        found = ds.dataset([str(part) for part in parts], schema=schema, format="parquet").to_table(
            columns=["shard", "error_code"], filter=ds.field("status") == "failed"
        )
    except (pa.ArrowException, OSError) as error:
        _name_damaged(parts)
        raise StoreError("the manifest changed while it was read; try again") from error
    lines = found.to_pylist()
    return Counter((line["shard"], line["error_code"]) for line in lines)


def _read_parts(folder: Path, expected: ManifestSchema | None, wanted: Set[str] | None) -> pa.Table:
    parts = _part_files(folder)
    if not parts:
        empty = newest_version(expected or IMAGES).arrow.empty_table()
        return empty.select(_chosen(empty.schema, wanted))
    try:
        schema = check_schema(parts[0], pq.read_schema(parts[0]), expected)
        files = [str(part) for part in parts]
        own, newest = schema.arrow, newest_version(schema).arrow
        # A data set fills with nulls what its files lack, and drops what they have beyond it.
        data = ds.dataset(files, schema=newest, format=_VERIFYING)
        for fragment in data.get_fragments():
            # The footer stays with the fragment, so that each is read once.
            if not fragment.physical_schema.equals(own):
                check_schema(Path(fragment.path), fragment.physical_schema, schema)
        table = data.to_table(columns=_chosen(newest, wanted))
        table.validate(full=True)
        return table
    except (pa.ArrowException, OSError, ValueError) as error:
        _name_damaged(parts)
        raise StoreError(f"manifest {folder} changed while it was read; try again") from error


def _chosen(schema: pa.Schema, wanted: Set[str] | None) -> list[str]:
    """The names of the wanted columns, in the order of the schema."""
    return [name for name in schema.names if wanted is None or name in wanted]


def _part_files(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if entry.match("part-*.parquet"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"no manifest at {folder}: expected the folder of parts that a store holds"
        ) from error
    except OSError as error:
        raise StoreError(f"the manifest folder {folder} cannot be listed: {error.strerror}") from (
            error
        )


def _name_damaged(parts: Sequence[Path]) -> None:
    """Reads part by part, so that the error names the one that is damaged."""
    for part in parts:
        read_part(part)
