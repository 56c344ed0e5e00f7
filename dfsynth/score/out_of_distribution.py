"""How unlike the radiographs of the training an image is."""

from typing import Final

from dfsynth.score.learned import learned_score
from dfsynth.score.scorer import ScoreColumn, Scorer

OUT_OF_DISTRIBUTION: Final = Scorer(
    columns=(
        # Version 1 has the column too, and null in all its rows.
        ScoreColumn(
            "ood_score", "How unlike the training radiographs the image is", unusual="high"
        ),
    ),
    compute=lambda maps: (learned_score(maps, "ood_score"),),
    learned=True,
)
