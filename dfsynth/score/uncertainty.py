"""The one number by which images are kept: their total standard deviation."""

from typing import Final

import numpy as np

from dfsynth.score.scorer import SIGNAL, ImageMaps, ScoreColumn, Scorer


def _compute(maps: ImageMaps) -> tuple[float | None, ...]:
    """Over the whole image where the checkpoint has no lung output; null where no lung is seen."""
    region = maps.lung_region
    if maps.lung is None:
        region = np.ones(maps.aleatoric.shape, np.bool_)
    if region is None:
        return (None,)
    variance = np.square(maps.aleatoric[region], dtype=np.float64)
    variance += np.square(maps.epistemic[region], dtype=np.float64)
    return (float(np.sqrt(variance.mean())),)


UNCERTAINTY: Final = Scorer(
    columns=(
        ScoreColumn(
            "uncertainty",
            "Root of the mean of aleatoric² + epistemic² over the lung",
            SIGNAL,
            "high",
            without_lung="over the image where the network predicts no lung",
        ),
    ),
    compute=_compute,
)
