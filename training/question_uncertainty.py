"""Does the stated uncertainty of a slice lie where its errors are?"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.evaluate.risk_coverage import KEPT, KEPT_SHARE
from dfsynth.evaluate.streaks import SliceTruth
from dfsynth.records import Float32Map
from dfsynth.statistics import (
    risk_at,
    risk_coverage_area,
    share_of_oracle,
    weighted_rank_correlation,
)

Array = NDArray[np.float64]
Moments = tuple[Float32Map, Float32Map, Float32Map]
"""Mean, aleatoric and epistemic deviation, each (y, x) in 1/m."""

REGIONS: Final = ("view", "lung", "empty")
"""All in view; the lung; and where the truth is 0, so that every error is a streak or noise."""
_EVERY: Final = 2
"""Of rows and columns one in so many is looked at: neighbours say much the same."""


def uncertainty_values(
    moments: list[Moments], given: Float32Map, known: SliceTruth
) -> Mapping[str, float]:
    """Figures of one slice by name, `REGION SCORE spearman` and others; NaN where undefined.

    Scores are ranked against the absolute error of the last stage, pixel by pixel, over `REGIONS`:
    `sigma` (aleatoric and epistemic together) and each part of it, of the last stage; `sigma of
    stage m`, against the errors of that stage; and two that need no uncertainty: `change`, how much
    the network changed the image (y, x) that it was given, and `value`, what it made of it.

    Risk is the mean absolute error of the pixels that a score keeps, over that of all pixels.
    """
    mean, aleatoric, epistemic = moments[-1]
    error = np.abs(mean.astype(np.float64) - known.truth)
    scores = {
        "sigma": _total(aleatoric, epistemic),
        "aleatoric": aleatoric.astype(np.float64),
        "epistemic": epistemic.astype(np.float64),
        "change": np.abs(mean.astype(np.float64) - given),
        "value": mean.astype(np.float64),
    }
    found: dict[str, float] = {}
    for name, region in _regions(known).items():
        for score, values in scores.items():
            found |= _ranking(f"{name} {score}", values[region], error[region])
        for number, (stage, *parts) in enumerate(moments, 1):
            off = np.abs(stage.astype(np.float64) - known.truth)[region]
            score = f"{name} sigma of stage {number}"
            found[f"{score} spearman"] = _spearman(_total(*parts)[region], off)
        found |= _ranking(f"{name} oracle", error[region], error[region])
    return found


def curve_name(region: str, score: str, share: float) -> str:
    """The name of the risk of a score at a share of the pixels that is kept."""
    return f"{region} {score} risk at {share:.2f}"


def _total(aleatoric: Float32Map, epistemic: Float32Map) -> Array:
    return np.hypot(aleatoric.astype(np.float64), epistemic)


def _regions(known: SliceTruth) -> dict[str, NDArray[np.bool_]]:
    looked_at = np.zeros(known.truth.shape, np.bool_)
    looked_at[::_EVERY, ::_EVERY] = True
    view, lung = known.field_of_view, known.lung_mask != 0
    regions = (view, lung, view & (known.truth == 0))
    return {name: region & looked_at for name, region in zip(REGIONS, regions, strict=True)}


def _ranking(name: str, scores: Array, errors: Array) -> dict[str, float]:
    found = {f"{name} spearman": _spearman(scores, errors)}
    once = np.ones((1, errors.size))
    overall = float(errors.mean()) if errors.size else 0.0
    if overall == 0:
        return found
    region, score = name.split(" ", 1)
    relative = errors / overall
    found[f"{name} area"] = float(risk_coverage_area(relative, scores, once)[0])
    found[f"{name} share of oracle"] = float(share_of_oracle(KEPT_SHARE, relative, scores, once)[0])
    for share in KEPT:
        risk = float(risk_at(float(share), relative, scores, once)[0])
        found[curve_name(region, score, float(share))] = risk
    return found


def _spearman(scores: Array, errors: Array) -> float:
    if errors.size < 2 or scores.min() == scores.max() or errors.min() == errors.max():
        return float("nan")
    return float(weighted_rank_correlation(scores, errors, np.ones((1, errors.size)))[0])
