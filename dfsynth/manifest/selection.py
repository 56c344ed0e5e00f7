"""Which images to use: a predicate, and the share that is lowest in one score."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.manifest.findings import FindingCount, count_findings
from dfsynth.manifest.null_scores import require_learned
from dfsynth.manifest.number_column import MissingColumnError, read_numbers
from dfsynth.manifest.parts import newest_version
from dfsynth.manifest.predicate import matching_positions
from dfsynth.manifest.schema import ManifestSchema
from dfsynth.manifest.table import read_manifest
from dfsynth.manifest.vocabulary import FUNCTIONS, SYNTAX, words_of
from dfsynth.records import NO_LUNG

_LEARNED_DEFAULT: Final = "predicted_error"
_UNLEARNED_DEFAULT: Final = "uncertainty"
_ALWAYS_READ: Final = frozenset(
    {"status", "flags", "findings", _LEARNED_DEFAULT, _UNLEARNED_DEFAULT}
)
_WORDS_OF_SQL: Final = frozenset({*SYNTAX, *FUNCTIONS, "null", "true", "false"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of a manifest that passed a filter, and how many there were."""

    table: pa.Table
    """Columns of the manifest's schema, sorted by `row`; of a count alone, not all of them."""
    total: int
    """Rows with status ok, before any filter."""
    no_lung: int
    """Of those, rows left out because no lung was found on them."""
    findings: tuple[FindingCount, ...]
    """Rows by finding: kept, and of `total`; none for pairs, which have no findings."""
    by: str | None
    """The column that rows were kept by; null where the predicate alone decided."""

    @property
    def kept(self) -> int:
        """Rows that passed."""
        return int(self.table.num_rows)


def select(
    folder: Path,
    where: str | None,
    keep: float | None,
    by: str | None,
    include_no_lung: bool = False,
    expected: ManifestSchema | None = None,
    at_most: float | None = None,
    counted_only: bool = False,
    task: str | None = None,
) -> Selection:
    """Filters the manifest whose parts lie in `folder`. See `select_rows`.

    `expected` says what the rows are; by default whatever the parts say. With `counted_only`,
    columns that decide nothing are not read, where the schema is known.

    Raises:
        UsageError, MissingColumnError: as `select_rows`.
        StoreError: the manifest cannot be read.
    """
    columns = _deciding_columns(where, by, expected) if counted_only and expected else None
    manifest = read_manifest(folder, expected, columns)
    return select_rows(manifest, where, keep, by, include_no_lung, expected, at_most, task)


def matching_rows(
    rows: pa.Table, where: str, expected: ManifestSchema | None = None, task: str | None = None
) -> pa.Table:
    """The rows of a manifest that meet a SQL condition; the arguments are those of `select_rows`.

    Raises:
        UsageError: a bad predicate, or one that is true of no row and names a learned score that is
            null in all.
    """
    passed = rows.take(matching_positions(rows, where))
    if passed.num_rows == 0:
        require_learned(rows, words_of(where), expected, task)
    return passed


def select_rows(
    manifest: pa.Table,
    where: str | None,
    keep: float | None,
    by: str | None,
    include_no_lung: bool = False,
    expected: ManifestSchema | None = None,
    at_most: float | None = None,
    task: str | None = None,
) -> Selection:
    """Filters a whole manifest; failed rows never pass.

    First `where`, then of the rows that passed and have a number in `by` the lowest share
    `keep`, rounded up to whole rows; among equal numbers the lower `row` passes. Or those whose
    `by` is no more than `at_most`. Rows without a number in `by` (null or NaN) pass neither.
    With `keep` alone, `by` is `default_score`'s.

    Args:
        manifest: All rows of a store, sorted by `row`.
        where: A SQL condition on the manifest's columns.
        keep: A share in (0, 1].
        by: A numeric column, for example uncertainty.
        include_no_lung: Whether rows on which no lung was found can pass.
        expected: What the rows are, for messages.
        at_most: A value of `by`, in place of `keep`.
        task: What the store's checkpoint is for, by name, for messages.

    Raises:
        UsageError: a bad predicate, share or column, or a predicate that is true of no row and
            names a learned score that is null in all.
        MissingColumnError: `by` is no column, or null in all rows, of which there are some.
    """
    _check_share(keep, by, at_most)
    ok = _is_ok(manifest)
    if keep is not None and by is None:
        by = default_score(manifest)
    usable = ok if include_no_lung else ok & has_lung(manifest)
    rows = manifest.filter(pa.array(usable))
    if where is not None:
        rows = matching_rows(rows, where, expected, task)
    if by is not None and rows.num_rows:
        # Of the whole store: that few rows have no number tells nothing of its checkpoint.
        require_learned(manifest.filter(pa.array(ok)), (by,), expected, task)
    if by is not None and keep is not None:
        rows = rows.take(_lowest_share(_numbers(rows, by), keep))
    elif by is not None and at_most is not None:
        # A null is NaN here, which is no number below another.
        rows = rows.take(np.flatnonzero(_numbers(rows, by) <= at_most))
    return Selection(
        table=rows.combine_chunks(),
        total=int(ok.sum()),
        no_lung=int(ok.sum() - usable.sum()),
        findings=_findings(manifest.filter(pa.array(ok)), rows),
        by=by,
    )


def _deciding_columns(
    where: str | None, by: str | None, schema: ManifestSchema
) -> frozenset[str] | None:
    """What has to be read to count; null for all, which an unknown name is answered with."""
    known = frozenset(newest_version(schema).arrow.names)
    words = words_of(where or "") | ({by} if by else set())
    return _ALWAYS_READ | (words & known) if words <= known | _WORDS_OF_SQL else None


def default_score(rows: pa.Table) -> str:
    """The column to choose images by where none is named, given all rows of a store.

    `predicted_error` where any of them has one: it was learned to say which image is wrong. Else
    `uncertainty`, which needs no heads (docs/decisions/0012-uncertainty-keeps-its-meaning.md).
    """
    known = _LEARNED_DEFAULT in rows.column_names
    if known and rows[_LEARNED_DEFAULT].null_count < rows.num_rows:
        return _LEARNED_DEFAULT
    return _UNLEARNED_DEFAULT


def _findings(ok: pa.Table, kept: pa.Table) -> tuple[FindingCount, ...]:
    if "findings" not in ok.column_names:
        return ()
    return count_findings(ok.select(["findings"]), kept)


def _check_share(keep: float | None, by: str | None, at_most: float | None) -> None:
    if keep is None and (at_most is None) != (by is None):
        given, missing = ("at_most", "by") if by is None else ("by", "keep")
        raise UsageError(
            f"found {given} without {missing}; expected both, for example keep 0.8 by uncertainty"
        )
    if keep is not None and not 0 < keep <= 1:
        raise UsageError(f"keep is {keep}; expected a share above 0 and at most 1, such as 0.8")


def _is_ok(table: pa.Table) -> NDArray[np.bool_]:
    return pc.equal(table["status"], pa.scalar("ok")).to_numpy().astype(np.bool_)


def has_lung(table: pa.Table) -> NDArray[np.bool_]:
    """Of each row of a manifest, (rows), whether it is not flagged as one without lung."""
    flags = table["flags"].combine_chunks()
    owners = pc.list_parent_indices(flags).to_numpy()
    flagged = pc.equal(pc.list_flatten(flags), pa.scalar(NO_LUNG)).to_numpy(zero_copy_only=False)
    has_lung = np.ones(table.num_rows, dtype=np.bool_)
    has_lung[owners[flagged]] = False
    return has_lung


def _numbers(rows: pa.Table, by: str) -> NDArray[np.float64]:
    """The column to choose by, NaN where it is null."""
    values = read_numbers(rows, by)
    if len(values) and np.isnan(values).all():
        raise MissingColumnError(
            f"column {by!r} is null throughout {counted(len(values), 'image')} to choose from; "
            "expected numbers to filter by"
        )
    return values


def _lowest_share(values: NDArray[np.float64], keep: float) -> NDArray[np.intp]:
    """Positions, ascending, of the lowest share of those that are numbers."""
    known = np.flatnonzero(~np.isnan(values))
    # Exact, as the user wrote it: in floats 0.7 of 10 is more than 7.
    count = -(-Fraction(str(keep)) * known.size // 1)
    # Stable over rows that are sorted by `row`: equal numbers pass in that order.
    lowest = known[np.argsort(values[known], kind="stable")[: int(count)]]
    return np.sort(lowest)
