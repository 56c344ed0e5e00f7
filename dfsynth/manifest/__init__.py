"""The manifest: its schema, its parts on disk, and choosing rows from it."""

from dfsynth.manifest.finding_labels import (
    known_findings,
    label_rows,
    positive_weights,
    require_findings,
)
from dfsynth.manifest.findings import FindingCount, count_findings
from dfsynth.manifest.null_scores import require_learned
from dfsynth.manifest.number_column import MissingColumnError, read_numbers
from dfsynth.manifest.pairs import (
    PAIRS_KIND,
    PAIRS_VERSION,
    check_parameters,
    null_parameters,
    pair_schema,
)
from dfsynth.manifest.parts import encode_part, read_part, rows_of
from dfsynth.manifest.patient_splits import SplitSource, rows_in_split, split_rows
from dfsynth.manifest.predicate import matching_positions
from dfsynth.manifest.quantiles import QUANTILES, score_quantiles
from dfsynth.manifest.schema import (
    COLUMNS,
    IMAGE_SCHEMAS,
    IMAGES,
    SCHEMA_VERSION,
    ManifestSchema,
)
from dfsynth.manifest.score_weights import weigh_rows
from dfsynth.manifest.selection import Selection, default_score, matching_rows, select, select_rows
from dfsynth.manifest.selection_file import PROVENANCE_KEY, write_csv, write_selection
from dfsynth.manifest.table import read_failures, read_manifest

__all__ = [
    "COLUMNS",
    "IMAGES",
    "IMAGE_SCHEMAS",
    "PAIRS_KIND",
    "PAIRS_VERSION",
    "PROVENANCE_KEY",
    "QUANTILES",
    "SCHEMA_VERSION",
    "FindingCount",
    "ManifestSchema",
    "MissingColumnError",
    "Selection",
    "SplitSource",
    "check_parameters",
    "count_findings",
    "default_score",
    "encode_part",
    "known_findings",
    "label_rows",
    "matching_positions",
    "matching_rows",
    "null_parameters",
    "pair_schema",
    "positive_weights",
    "read_failures",
    "read_manifest",
    "read_numbers",
    "read_part",
    "require_findings",
    "require_learned",
    "rows_in_split",
    "rows_of",
    "score_quantiles",
    "select",
    "select_rows",
    "split_rows",
    "weigh_rows",
    "write_csv",
    "write_selection",
]
