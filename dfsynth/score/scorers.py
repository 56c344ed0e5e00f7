"""All scores of an image: which there are, and computing them.

A new score is a `Scorer` in a module of its own, and an entry of `SCORERS`. Its columns are those
of the manifest, whose schema thereby changes and needs a new version.
"""

from collections.abc import Mapping
from typing import Final

from dfsynth.records import Generated, ModelInput, Scored
from dfsynth.score.dark_field import DARK_FIELD
from dfsynth.score.deviations import ALEATORIC, EPISTEMIC
from dfsynth.score.lung import LUNG, NO_LUNG, lung_region, predicted_lung
from dfsynth.score.scorer import ImageMaps, ScoreColumn, Scorer
from dfsynth.score.uncertainty import UNCERTAINTY

SCORERS: Final[tuple[Scorer, ...]] = (DARK_FIELD, ALEATORIC, EPISTEMIC, UNCERTAINTY, LUNG)
_WITHOUT_SCORER: Final = (
    ScoreColumn("ood_score", "Distance of the input from the training inputs", unusual="high"),
)
"""Columns of the manifest that nothing computes yet; null in every row."""

SCORE_COLUMNS: Final[tuple[ScoreColumn, ...]] = (
    *(column for scorer in SCORERS for column in scorer.columns),
    *_WITHOUT_SCORER,
)
"""Every score, in the order of the manifest."""
NO_SCORES: Final[Mapping[str, float | None]] = {column.name: None for column in SCORE_COLUMNS}
"""Those of an image that could not be made."""


def score(generated: Generated, source: ModelInput) -> Scored:
    """Computes every score of one image; padding is left out of all of them.

    Where the checkpoint has no lung output, scores of the lung are null and `uncertainty` is taken
    over the whole image. An image on which no lung is found is flagged.

    Args:
        generated: Maps (y, x) of the grid.
        source: What they were generated from.
    """
    maps = _maps_of(generated, source)
    values = dict(NO_SCORES)
    for scorer in SCORERS:
        names = [column.name for column in scorer.columns]
        values.update(zip(names, scorer.compute(maps), strict=True))
    lung_is_missing = maps.lung is not None and maps.lung_region is None
    return Scored(values, (*source.flags, NO_LUNG) if lung_is_missing else source.flags)


def _maps_of(generated: Generated, source: ModelInput) -> ImageMaps:
    content = source.geometry.content
    lung = None if generated.lung is None else predicted_lung(generated.lung[content])
    return ImageMaps(
        dark_field=generated.dark_field[content],
        aleatoric=generated.aleatoric[content],
        epistemic=generated.epistemic[content],
        lung=lung,
        lung_region=None if lung is None else lung_region(lung),
        source=source,
    )
