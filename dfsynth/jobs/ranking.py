"""The images of a store that a score likes least, and those that it likes best."""

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import pyarrow as pa

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.manifest import read_numbers
from dfsynth.score import SCORE_COLUMNS

End: TypeAlias = Literal["highest", "lowest"]
_OTHER_END: Final[dict[End, End]] = {"highest": "lowest", "lowest": "highest"}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Both ends of a column, and who takes no part in it."""

    by: str
    worst_is: End
    """The end of the column that is called worst."""
    declared: bool
    """Whether the score itself says which end is worst; where it does not, the highest is."""
    worst: tuple[str, ...]
    """Image ids, the worst first."""
    best: tuple[str, ...]
    """As many image ids, the best first."""
    ranked: int
    """Images that have a number in the column."""
    unranked: int
    """Finished images that have none."""
    failed: int
    """Images that failed."""

    @property
    def best_is(self) -> End:
        """The other end."""
        return _OTHER_END[self.worst_is]

    def describe(self) -> str:
        """In one line: what stands beside what, and who was left out."""
        undeclared = "" if self.declared else ", since the column declares neither end"
        return (
            f"Worst {len(self.worst)} and best {len(self.best)} of "
            f"{counted(self.ranked, 'image')}: worst is the {self.worst_is} "
            f"{self.by}{undeclared}. Left out: {self.failed} failed, {self.unranked} without a "
            f"number in {self.by}."
        )


def rank_ends(rows: pa.Table, by: str, count: int) -> tuple[Ranking, list[dict[str, Any]]]:
    """The `count` rows of a manifest that the column `by` likes least, and as many it likes best.

    Failed rows and those without a number (null or NaN) take no part. No row is at both ends: of
    fewer than 2 · `count` rows each end takes half. Among equal numbers the lower `row` is better.

    Returns:
        What was ranked, and the rows: worst, best, second worst, second best, and so on.

    Raises:
        UsageError: no such column, one that holds no numbers, or fewer than two rows with one.
    """
    is_ok = np.array([status == "ok" for status in rows["status"].to_pylist()], np.bool_)
    done = rows.filter(pa.array(is_ok))
    values = read_numbers(done, by)
    known = np.flatnonzero(~np.isnan(values))
    if known.size < 2:
        raise UsageError(
            f"found a number in {by!r} of {known.size} of "
            f"{counted(done.num_rows, 'finished image')}; expected 2 or more to set worst beside "
            "best; rank by a column that the store's checkpoint fills"
        )
    declared = {column.name: column.unusual for column in SCORE_COLUMNS}.get(by)
    badness = -values[known] if declared == "low" else values[known]
    best_first = known[np.argsort(badness, kind="stable")]
    count = min(count, known.size // 2)
    best, worst = best_first[:count], best_first[::-1][:count]
    lines = done.take(np.stack([worst, best], axis=1).ravel()).to_pylist()
    ranking = Ranking(
        by=by,
        worst_is="lowest" if declared == "low" else "highest",
        declared=declared is not None,
        worst=tuple(line["image_id"] for line in lines[::2]),
        best=tuple(line["image_id"] for line in lines[1::2]),
        ranked=known.size,
        unranked=done.num_rows - known.size,
        failed=rows.num_rows - done.num_rows,
    )
    return ranking, lines
