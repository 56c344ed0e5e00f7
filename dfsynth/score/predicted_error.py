"""How wrong the shape of an image is expected to be."""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import SHARE, ScoreColumn, Scorer

PREDICTED_ERROR: Final[Scorer] = learned_scorer(
    ScoreColumn(
        "predicted_error",
        "Expected error of shape of the image: 0 for the right shape, 1 for nothing in common",
        SHARE,
        "high",
        since=2,
    ),
)
