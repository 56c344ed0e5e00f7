"""The first part of the uncertainty: the scanner's noise, which no image can foretell."""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import SIGNAL, ScoreColumn, Scorer

NOISE_UNCERTAINTY: Final[Scorer] = learned_scorer(
    ScoreColumn(
        "noise_uncertainty",
        "Noise of the scanner: expected standard deviation of the noisy target around the "
        "clean one in the lung",
        SIGNAL,
        "high",
        since=2,
    ),
    of_lung=("noise_uncertainty",),
)
