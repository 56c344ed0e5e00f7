"""The second part of the uncertainty: the patient's own coefficient, which no radiograph shows."""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import ScoreColumn, Scorer

PATIENT_UNCERTAINTY: Final[Scorer] = learned_scorer(
    ScoreColumn(
        "patient_uncertainty",
        "The patient's own factor: standard deviation of the logarithm of the factor by which "
        "the whole signal may be off",
        unusual="high",
        since=2,
    ),
)
