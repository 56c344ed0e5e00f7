"""The manifest: its schema, its parts on disk, and choosing rows from it."""

from dfsynth.manifest.findings import FindingCount, count_findings
from dfsynth.manifest.pairs import NO_PARAMETERS, PAIR_PARAMETERS, PAIRS, check_parameters
from dfsynth.manifest.parts import encode_part, read_part, rows_of
from dfsynth.manifest.schema import COLUMNS, IMAGES, SCHEMA_VERSION, ManifestSchema
from dfsynth.manifest.selection import MissingColumnError, Selection, score_column, select
from dfsynth.manifest.selection_file import PROVENANCE_KEY, write_selection
from dfsynth.manifest.table import read_manifest

__all__ = [
    "COLUMNS",
    "IMAGES",
    "NO_PARAMETERS",
    "PAIRS",
    "PAIR_PARAMETERS",
    "PROVENANCE_KEY",
    "SCHEMA_VERSION",
    "FindingCount",
    "ManifestSchema",
    "MissingColumnError",
    "Selection",
    "check_parameters",
    "count_findings",
    "encode_part",
    "read_manifest",
    "read_part",
    "rows_of",
    "score_column",
    "select",
    "write_selection",
]
