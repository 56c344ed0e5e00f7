"""Maps → one number each per image, by the scorers of `dfsynth.score.scorers`."""

from dfsynth.score.scorer import ImageMaps, ScoreColumn, Scorer
from dfsynth.score.scorers import LEARNED_SCORES, NO_SCORES, SCORE_COLUMNS, SCORERS, score

__all__ = [
    "LEARNED_SCORES",
    "NO_SCORES",
    "SCORERS",
    "SCORE_COLUMNS",
    "ImageMaps",
    "ScoreColumn",
    "Scorer",
    "score",
]
