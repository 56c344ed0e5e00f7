"""How many rows of a manifest carry each finding."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

UNKNOWN: Final = "(unknown)"
"""Counts the rows whose findings are null, or hold one without a name: the corpus says nothing."""
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
    named: Any = pc.fill_null(pc.list_flatten(column), pa.scalar(""))
    # Null and "" say the same; a row that holds both counts once.
    names: Any = pc.if_else(pc.equal(named, pa.scalar("")), pa.scalar(UNKNOWN), named)
    pairs = pa.table({"row": pc.list_parent_indices(column), "name": names})
    found = pairs.group_by(["row", "name"]).aggregate([])["name"].value_counts()
    values: list[Any] = found.field("values").to_pylist()
    counts = dict(zip(values, found.field("counts").to_numpy().tolist(), strict=True))
    lengths = pc.fill_null(pc.list_value_length(column), -1)
    empty = int(np.count_nonzero(lengths.to_numpy() == 0))
    for name, rows in ((UNKNOWN, column.null_count), (NONE, empty)):
        if rows:
            counts[name] = counts.get(name, 0) + rows
    return counts
