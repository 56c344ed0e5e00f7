"""The third part of the doubt: the structure, what the best factor for the image leaves wrong.

Both columns estimate parts of `dfsynth.statistics.ShapeError`, whose truth is the clean target.
"""

from typing import Final

from dfsynth.score.learned import learned_lung_score, learned_score
from dfsynth.score.scorer import SHARE, ImageMaps, ScoreColumn, Scorer

_LUNG: Final = "structure_uncertainty_lung"
_OUTSIDE: Final = "structure_uncertainty_outside"


def _compute(maps: ImageMaps) -> tuple[float | None, ...]:
    return learned_lung_score(maps, _LUNG), learned_score(maps, _OUTSIDE)


STRUCTURE_UNCERTAINTY: Final = Scorer(
    columns=(
        ScoreColumn(
            _LUNG,
            "Structure in the lung: expected error of shape there after the best factor for the "
            "image, as a share of the clean signal",
            SHARE,
            "high",
            since=2,
        ),
        ScoreColumn(
            _OUTSIDE,
            "Structure outside the lung: expected signal where no lung is, as a share of the clean "
            "signal",
            SHARE,
            "high",
            since=2,
        ),
    ),
    compute=_compute,
    learned=True,
)
