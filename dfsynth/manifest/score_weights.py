"""A score as weights of images: the less an image is to be trusted, the less it weighs."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.errors import UsageError
from dfsynth.manifest.number_column import MissingColumnError, read_numbers

_FLOOR_PERCENTILE: Final = 5.0


def weigh_rows(rows: pa.Table, by: str) -> NDArray[np.float64]:
    """One weight for each row, (rows): the inverse of its score, scaled to a mean of 1.

    Scores below their 5th percentile count as that, so that no image counts without limit. Rows
    without a score weigh 0, as `keep` leaves them out; they do not enter the mean.

    Args:
        rows: Rows of a manifest.
        by: A numeric column whose low values are the better ones, such as predicted_error.

    Raises:
        MissingColumnError: no such column, or null in all rows, of which there are some.
        UsageError: one that holds no numbers, or numbers below 0.
    """
    scores = read_numbers(rows, by)
    known = ~np.isnan(scores)
    if not known.any():
        if len(scores) == 0:
            return scores
        raise MissingColumnError(
            f"column {by!r} is null throughout {counted(len(scores), 'image')} to weigh; expected "
            "numbers"
        )
    if scores[known].min() < 0:
        raise UsageError(
            f"column {by!r} holds numbers below 0; expected a score of which 0 is the best, such "
            "as predicted_error or uncertainty"
        )
    weights = np.zeros_like(scores)
    weights[known] = 1 / np.maximum(scores[known], _floor(scores[known]))
    return weights / weights[known].mean()


def _floor(scores: NDArray[np.float64]) -> float:
    """The least that a score counts as, above 0; where all scores are 0, they weigh alike."""
    low = float(np.percentile(scores, _FLOOR_PERCENTILE))
    positive = scores[scores > 0]
    if low > 0 or not positive.size:
        return low or 1.0
    return float(positive.min())
