"""The third part of the uncertainty: what the best factor for the image leaves wrong.

Both columns estimate parts of `dfsynth.statistics.ShapeError`, whose truth is the clean target.
"""

from typing import Final

from dfsynth.score.learned import learned_scorer
from dfsynth.score.scorer import SHARE, ScoreColumn, Scorer

_LUNG: Final = "structure_uncertainty_lung"

STRUCTURE_UNCERTAINTY: Final[Scorer] = learned_scorer(
    ScoreColumn(
        _LUNG,
        "Structure in the lung: expected error of shape there after the best factor for the "
        "image, as a share of the clean signal",
        SHARE,
        "high",
        since=2,
    ),
    ScoreColumn(
        "structure_uncertainty_outside",
        "Structure outside the lung: expected signal where no lung is, as a share of the clean "
        "signal",
        SHARE,
        "high",
        since=2,
    ),
    of_lung=(_LUNG,),
)
