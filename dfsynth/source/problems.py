"""What is wrong with a corpus's tables: one sentence for a run, and rows for who mends them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.source.schema import Column

SHOWN_ROWS: Final = 5
"""Of each kind, so many rows are named."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One kind of problem."""

    sentence: str
    """With its count; complete without the rows."""
    rows: tuple[str, ...] = ()
    """The first rows that have it, for example "train.csv, row 12: age '414'"."""


def complain_of_rows(
    place: str, values: Column, bad: NDArray[np.bool_], what: str, words: tuple[str, str]
) -> Complaint | None:
    """The complaint on the rows of one column that are `bad`; None where none is.

    Args:
        place: The table's file.
        values: One for each row; what is found there is shown.
        bad: One for each row.
        what: What the values should be, for example "age".
        words: What follows a count of one, and of several, for example "value of age is no age"
            and "values of age are no age".
    """
    rows = np.flatnonzero(bad)
    if not len(rows):
        return None
    shown = tuple(
        f"{place}, row {row + 1}: {what} {values[int(row)].as_py()!r}" for row in rows[:SHOWN_ROWS]
    )
    return Complaint(counted(len(rows), *words), shown)
