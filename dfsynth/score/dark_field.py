"""The dark-field signal of an image."""

from typing import Final

from dfsynth.score.scorer import SIGNAL, ImageMaps, ScoreColumn, Scorer
from dfsynth.score.statistics import mean, mean_within


def _compute(maps: ImageMaps) -> tuple[float | None, ...]:
    return mean(maps.dark_field), mean_within(maps.dark_field, maps.lung_region)


DARK_FIELD: Final = Scorer(
    columns=(
        ScoreColumn("dark_field_mean", "Mean dark-field signal over the image", SIGNAL),
        ScoreColumn("dark_field_lung_mean", "Mean dark-field signal over the lung", SIGNAL),
    ),
    compute=_compute,
)
