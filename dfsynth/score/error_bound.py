"""How wrong the shape of an image may be at most, for nine patients in ten."""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import SHARE, ScoreColumn, Scorer

ERROR_BOUND: Final[Scorer] = learned_scorer(
    ScoreColumn(
        "error_bound",
        "Upper bound of the error of shape of the image that holds for 90 % of patients",
        SHARE,
        "high",
        since=2,
    ),
)
