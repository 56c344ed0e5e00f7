"""Images in the order in which a score trusts them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Scored
from dfsynth.score import SCORE_COLUMNS, ScoreColumn

DIRECTED_COLUMNS: Final = tuple(column for column in SCORE_COLUMNS if column.unusual is not None)
"""The scores that say which of their ends is the unusual one."""


def unusualness(scored: Sequence[Scored], column: ScoreColumn) -> NDArray[np.float64] | None:
    """One number of each of n images, (n), the higher the more unusual; null where none has any.

    An image without a score (no lung was found) is the most unusual of all, since filters drop it.
    """
    values = [each.scores[column.name] for each in scored]
    if all(value is None for value in values):
        return None
    sign = -1.0 if column.unusual == "low" else 1.0
    return np.array([np.inf if value is None else sign * value for value in values])
