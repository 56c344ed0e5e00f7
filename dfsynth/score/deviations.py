"""How far the dark-field image may be off: its aleatoric and its epistemic deviation."""

from typing import Final

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.score.scorer import SIGNAL, ImageMaps, ScoreColumn, Scorer
from dfsynth.score.statistics import mean, mean_within


def _columns(name: str) -> tuple[ScoreColumn, ...]:
    return (
        ScoreColumn(f"{name}_mean", f"Mean {name} standard deviation", SIGNAL, "high"),
        ScoreColumn(f"{name}_lung_mean", f"Mean {name} deviation over the lung", SIGNAL, "high"),
        ScoreColumn(f"{name}_p95", f"95th percentile of the {name} deviation", SIGNAL, "high"),
    )


def _summarise(deviation: Float32Map, maps: ImageMaps) -> tuple[float | None, ...]:
    return (
        mean(deviation),
        mean_within(deviation, maps.lung_region),
        float(np.percentile(deviation, 95)),
    )


def _summarise_spread(maps: ImageMaps) -> tuple[float | None, ...]:
    """Null where samples cannot differ, as one sample does not: then 0 is no finding."""
    if not maps.epistemic.any():
        return None, None, None
    return _summarise(maps.epistemic, maps)


ALEATORIC: Final = Scorer(_columns("aleatoric"), lambda maps: _summarise(maps.aleatoric, maps))
EPISTEMIC: Final = Scorer(_columns("epistemic"), _summarise_spread)
