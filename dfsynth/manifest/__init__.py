"""The manifest: its schema, its parts on disk, and choosing rows from it."""

from dfsynth.manifest.findings import FindingCount, count_findings
from dfsynth.manifest.number_column import MissingColumnError, read_numbers
from dfsynth.manifest.pairs import NO_PARAMETERS, PAIR_PARAMETERS, PAIRS, check_parameters
from dfsynth.manifest.parts import encode_part, read_part, rows_of
from dfsynth.manifest.predicate import matching_positions
from dfsynth.manifest.quantiles import QUANTILES, score_quantiles
from dfsynth.manifest.schema import (
    COLUMNS,
    IMAGE_SCHEMAS,
    IMAGES,
    SCHEMA_VERSION,
    ManifestSchema,
)
from dfsynth.manifest.selection import Selection, default_score, select
from dfsynth.manifest.selection_file import PROVENANCE_KEY, write_csv, write_selection
from dfsynth.manifest.table import read_failures, read_manifest

__all__ = [
    "COLUMNS",
    "IMAGES",
    "IMAGE_SCHEMAS",
    "NO_PARAMETERS",
    "PAIRS",
    "PAIR_PARAMETERS",
    "PROVENANCE_KEY",
    "QUANTILES",
    "SCHEMA_VERSION",
    "FindingCount",
    "ManifestSchema",
    "MissingColumnError",
    "Selection",
    "check_parameters",
    "count_findings",
    "default_score",
    "encode_part",
    "matching_positions",
    "read_failures",
    "read_manifest",
    "read_numbers",
    "read_part",
    "rows_of",
    "score_quantiles",
    "select",
    "write_csv",
    "write_selection",
]
