"""The manifest: its schema, its parts on disk, and choosing rows from it."""

from dfsynth.manifest.findings import FindingCount, count_findings
from dfsynth.manifest.parts import encode_part, read_part, rows_of
from dfsynth.manifest.schema import COLUMNS, SCHEMA, SCHEMA_VERSION, Column, schema_json
from dfsynth.manifest.selection import Selection, select
from dfsynth.manifest.selection_file import PROVENANCE_KEY, write_selection
from dfsynth.manifest.table import read_manifest

__all__ = [
    "COLUMNS",
    "PROVENANCE_KEY",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Column",
    "FindingCount",
    "Selection",
    "count_findings",
    "encode_part",
    "read_manifest",
    "read_part",
    "rows_of",
    "schema_json",
    "select",
    "write_selection",
]
