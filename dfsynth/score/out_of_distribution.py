"""How unlike the radiographs of the training an image is."""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import ScoreColumn, Scorer

OUT_OF_DISTRIBUTION: Final[Scorer] = learned_scorer(
    # Version 1 has the column too, and null in all its rows.
    ScoreColumn("ood_score", "How unlike the training radiographs the image is", unusual="high"),
)
