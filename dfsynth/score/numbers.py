"""The uncertainty and lung columns of the manifest."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, Generated, Geometry, ModelInput, Scored

LUNG_PROBABILITY: Final = 0.5
LEAST_LUNG: Final = 0.05
"""A smaller share of the picture than this is flagged `no_lung`, and lung columns are null."""


def score(generated: Generated, source: ModelInput) -> Scored:
    """Scores one picture; padding is left out of every number.

    Where the checkpoint has no lung output, lung columns are null and `uncertainty` is taken over
    the whole picture.
    """
    content = source.geometry.content
    dark_field = generated.dark_field[content]
    aleatoric = generated.aleatoric[content]
    epistemic = generated.epistemic[content]
    flags = source.flags
    lung = region = None
    if generated.lung is not None:
        lung = generated.lung[content] > LUNG_PROBABILITY
        if lung.mean() < LEAST_LUNG:
            flags = (*flags, "no_lung")
        else:
            region = lung
    everywhere = np.ones(dark_field.shape, np.bool_) if generated.lung is None else None
    total = region if region is not None else everywhere
    return Scored(
        dark_field_mean=_mean(dark_field),
        dark_field_lung_mean=_mean_within(dark_field, region),
        aleatoric_mean=_mean(aleatoric),
        aleatoric_lung_mean=_mean_within(aleatoric, region),
        aleatoric_p95=float(np.percentile(aleatoric, 95)),
        epistemic_mean=_mean(epistemic),
        epistemic_lung_mean=_mean_within(epistemic, region),
        epistemic_p95=float(np.percentile(epistemic, 95)),
        uncertainty=None if total is None else _uncertainty(aleatoric, epistemic, total),
        lung_fraction=None if lung is None else float(lung.mean()),
        lung_area_cm2=_area_cm2(region, source.geometry, source.pixel_mm),
        ood_score=None,
        flags=flags,
    )


def _mean(values: Float32Map) -> float:
    # Sums in float64: a float32 sum over a megapixel keeps too few digits to compare runs by.
    return float(values.mean(dtype=np.float64))


def _mean_within(values: Float32Map, region: NDArray[np.bool_] | None) -> float | None:
    return None if region is None else float(values[region].mean(dtype=np.float64))


def _uncertainty(aleatoric: Float32Map, epistemic: Float32Map, region: NDArray[np.bool_]) -> float:
    """Root of the mean total variance over `region` (y, x)."""
    variance = np.square(aleatoric[region], dtype=np.float64)
    variance += np.square(epistemic[region], dtype=np.float64)
    return float(np.sqrt(variance.mean()))


def _area_cm2(
    region: NDArray[np.bool_] | None, geometry: Geometry, pixel_mm: float | None
) -> float | None:
    """Projected lung area at the detector, from the pitch of the source's pixels."""
    if region is None or pixel_mm is None:
        return None
    grid_mm2 = pixel_mm**2 / (geometry.scale_y * geometry.scale_x)
    return float(region.sum()) * grid_mm2 / 100.0
