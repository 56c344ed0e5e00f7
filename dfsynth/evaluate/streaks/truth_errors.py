"""Errors of a restored slice where the truth is known."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

RIM_PX: Final = 3.0
"""Pixels from the lung's edge within which bias counts as bias at the edge."""


@dataclass(frozen=True, slots=True)
class TruthErrors:
    """What a slice's values are off; 1/m but for the relative ones. NaN without lung.

    The rim of the lung lies within `RIM_PX` pixels of its edge. Blur lowers it and leaves the core
    as it is; streaks and offsets change both.
    """

    mae_per_m: float
    """Mean absolute error over the whole region."""
    rmse_per_m: float
    """Root mean square error over the whole region."""
    lung_mae_per_m: float
    lung_rmse_per_m: float
    lung_truth_per_m: float
    """Mean coefficient of the lung in the truth."""
    lung_bias_per_m: float
    """Mean coefficient of the lung less that of the truth."""
    lung_relative_bias: float
    """`lung_bias_per_m` over `lung_truth_per_m`: the share by which the lung's mean is off."""
    rim_relative_bias: float
    """The same share, of the rim of the lung alone."""
    core_relative_bias: float
    """The same share, of the lung without its rim."""


def errors_against_truth(
    image: NDArray[np.floating],
    truth: NDArray[np.floating],
    lung_mask: NDArray[np.generic],
    region: NDArray[np.bool_],
) -> TruthErrors:
    """Errors over a whole region and over the lung, and the bias of the lung's mean coefficient.

    Args:
        image: (y, x) in 1/m.
        truth: (y, x) in 1/m.
        lung_mask: (y, x), not 0 in lung.
        region: (y, x), what counts as whole, such as the field of view.
    """
    lung = lung_mask != 0
    rim = lung & (ndimage.distance_transform_edt(np.pad(lung, 1))[1:-1, 1:-1] <= RIM_PX)
    error = image.astype(np.float64) - truth
    return TruthErrors(
        mae_per_m=_mean(np.abs(error), region),
        rmse_per_m=_mean(np.square(error), region) ** 0.5,
        lung_mae_per_m=_mean(np.abs(error), lung),
        lung_rmse_per_m=_mean(np.square(error), lung) ** 0.5,
        lung_truth_per_m=_mean(truth, lung),
        lung_bias_per_m=_mean(error, lung),
        lung_relative_bias=_relative_bias(error, truth, lung),
        rim_relative_bias=_relative_bias(error, truth, rim),
        core_relative_bias=_relative_bias(error, truth, lung & ~rim),
    )


def _mean(values: NDArray[np.floating], region: NDArray[np.bool_]) -> float:
    return float(values[region].mean(dtype=np.float64)) if region.any() else float("nan")


def _relative_bias(
    error: NDArray[np.floating], truth: NDArray[np.floating], region: NDArray[np.bool_]
) -> float:
    level = _mean(truth, region)
    return _mean(error, region) / level if level > 0 else float("nan")
