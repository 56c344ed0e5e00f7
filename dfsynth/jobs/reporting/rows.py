"""The rows that a report is of, also where some parts of the manifest are damaged."""

from dataclasses import dataclass

import pyarrow as pa

from dfsynth.errors import StoreError
from dfsynth.manifest import ManifestSchema, read_manifest, read_part
from dfsynth.store import StoreLayout, missing_files


@dataclass(frozen=True, slots=True, eq=False)
class ReportRows:
    """The rows that can be read, and a sentence for each shard that is not whole."""

    table: pa.Table
    damage: tuple[str, ...]


def read_rows(layout: StoreLayout, schema: ManifestSchema, arrays: list[str]) -> ReportRows:
    """The committed rows of a store; parts that cannot be read are left out and named.

    Args:
        layout: Where the store lies.
        schema: Of its manifest.
        arrays: Names of its arrays, whose missing files are named too.

    Raises:
        StoreError: no part can be read, of which there are some, or a folder cannot be.
    """
    try:
        table = read_manifest(layout.manifest, schema)
    except StoreError:
        table, damage = _read_whole_parts(layout, schema)
    else:
        damage = []
    return ReportRows(table, (*damage, *_name_missing(layout, arrays)))


def _name_missing(layout: StoreLayout, arrays: list[str]) -> list[str]:
    """Of a store on a disk; the arrays of one in an object store lie elsewhere."""
    if layout.objects is not None:
        return []
    gone = missing_files(layout, arrays)
    return [f"{path.relative_to(layout.folder.parent)} is missing" for path in gone]


def _read_whole_parts(layout: StoreLayout, schema: ManifestSchema) -> tuple[pa.Table, list[str]]:
    tables, damage = [], []
    error: StoreError | None = None
    for shard in sorted(layout.committed_shards()):
        try:
            tables.append(read_part(layout.part(shard), schema))
        except StoreError as found:
            error = found
            damage.append(f"shard {shard}: its part of the manifest is damaged")
    if not tables:
        raise error or StoreError(f"the manifest of {layout.root} cannot be read; try again")
    return pa.concat_tables(tables).sort_by("row"), damage
