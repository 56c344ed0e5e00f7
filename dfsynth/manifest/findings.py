"""How many rows of a manifest carry each finding."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN: Final = "(unknown)"
"""Counts the rows whose findings are null: the corpus says nothing."""
NONE: Final = "(none)"
"""Counts the rows whose list of findings is empty."""


@dataclass(frozen=True, slots=True)
class FindingCount:
    """Rows that carry one finding, of those kept and of all."""

    name: str
    kept: int
    total: int

    @property
    def is_known(self) -> bool:
        """Whether the source says something of these rows."""
        return self.name != UNKNOWN


def count_findings(table: pa.Table, kept: pa.Table) -> tuple[FindingCount, ...]:
    """Counts rows by finding, the commonest in `table` first.

    A row with several findings counts under each of them, and once where it repeats one.

    Args:
        table: All rows, with a column `findings` (list of strings).
        kept: Those of them that were kept, with the same column.
    """
    total, passed = _count(table), _count(kept)
    by_total = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return tuple(FindingCount(name, passed.get(name, 0), rows) for name, rows in by_total)


def _count(table: pa.Table) -> dict[str, int]:
    column = table["findings"].combine_chunks()
    pairs = pa.table(
        {"row": pc.list_parent_indices(column), "name": pc.list_flatten(column)}
    ).group_by(["row", "name"])
    names = pairs.aggregate([])["name"].value_counts()
    values: list[str | None] = names.field("values").to_pylist()
    rows_of_value = names.field("counts").to_numpy().tolist()
    counts = {value or UNKNOWN: rows for value, rows in zip(values, rows_of_value, strict=True)}
    lengths = pc.fill_null(pc.list_value_length(column), -1)
    empty = int(np.count_nonzero(lengths.to_numpy() == 0))
    for name, rows in ((UNKNOWN, column.null_count), (NONE, empty)):
        if rows:
            counts[name] = counts.get(name, 0) + rows
    return counts
