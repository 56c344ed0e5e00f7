"""A filter by a score that no image of the store has: refused, with what to do."""

from collections.abc import Collection

import pyarrow as pa

from dfsynth.checkpoint import checkpoints_with_scores, who_has_scores
from dfsynth.manifest.number_column import MissingColumnError
from dfsynth.manifest.schema import ManifestSchema
from dfsynth.score import LEARNED_SCORES


def require_learned(
    rows: pa.Table,
    names: Collection[str],
    schema: ManifestSchema | None,
    task: str | None = None,
) -> None:
    """Requires of each learned score among `names` that some row has a number in it.

    Args:
        rows: Rows of a manifest; without any, nothing is required.
        names: Names of columns, some maybe of no score, or of no column at all.
        schema: That of the store, which may be of an earlier version than that of `rows`; null
            where it is not known.
        task: What the store's checkpoint is for, by name; null where it is not known.

    Raises:
        MissingColumnError: a score is null in all rows.
    """
    for name in sorted({*names} & {*LEARNED_SCORES} & {*rows.column_names}):
        if 0 < rows.num_rows == rows[name].null_count:
            raise MissingColumnError(
                f"{name!r} is null for every image of the store: {_reason(name, schema)}; "
                f"{who_has_scores(task)}; {_remedy(task)}"
            )


def _reason(name: str, schema: ManifestSchema | None) -> str:
    if schema is not None and name not in [column.name for column in schema.columns]:
        return f"the store is of schema version {schema.version}, made before there was that column"
    return "the checkpoint that made the store has no heads for it"


def _remedy(task: str | None) -> str:
    go = "go by another column, such as uncertainty"
    return f"build a new store with one of them, or {go}" if checkpoints_with_scores(task) else go
