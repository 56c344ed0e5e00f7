"""How much lung an image shows, and where: the region over which other scores are taken."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.score.scorer import SHARE, ImageMaps, ScoreColumn, Scorer

LUNG_PROBABILITY: Final = 0.5
"""A pixel whose probability of lung is above this is lung."""
LEAST_LUNG: Final = 0.05
"""A smaller share of the image than this is flagged `no_lung`, and lung columns are null."""


def predicted_lung(probability: Float32Map) -> NDArray[np.bool_]:
    """Where lung is more likely than not, (y, x), from its probability (y, x) in [0, 1]."""
    return probability > LUNG_PROBABILITY


def lung_region(lung: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The lung (y, x) of an image whose padding is cut off; null where it is too little."""
    return lung if lung.mean() >= LEAST_LUNG else None


def _compute(maps: ImageMaps) -> tuple[float | None, ...]:
    fraction = None if maps.lung is None else float(maps.lung.mean())
    return fraction, _area_cm2(maps)


def _area_cm2(maps: ImageMaps) -> float | None:
    """Projected lung area at the detector, from the pitch of the source's pixels."""
    pixel_mm, geometry = maps.source.pixel_mm, maps.source.geometry
    if maps.lung_region is None or pixel_mm is None:
        return None
    grid_mm2 = pixel_mm**2 / (geometry.scale_y * geometry.scale_x)
    return float(maps.lung_region.sum()) * grid_mm2 / 100.0


LUNG: Final = Scorer(
    columns=(
        ScoreColumn("lung_fraction", "Predicted lung over the whole image", SHARE, "low"),
        ScoreColumn("lung_area_cm2", "Predicted lung area; null without pixel_mm", "cm²"),
    ),
    compute=_compute,
)
