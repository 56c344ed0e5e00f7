"""How near a prediction comes to its target: error, PSNR, SSIM, correlation, in one region."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.image import (
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from torchmetrics.functional.regression import (
    mean_absolute_error,
    mean_squared_error,
    pearson_corrcoef,
)

from dfsynth.records import Float32Map

SIMILARITY_BORDER = 5
"""Pixels at the edge whose window of 11 pixels reaches out of the image."""
_FLAT = 1e-12
"""Variance under which a correlation says nothing."""


def similarity_map(prediction: Float32Map, target: Float32Map, data_range: float) -> Float32Map:
    """SSIM around every pixel of two maps (y, x), (y, x): Wang et al., IEEE TIP 2004.

    Gaussian window of 11 pixels, standard deviation 1.5, k 0.01 and 0.03; nothing is clipped.
    `data_range` is the L of the paper, in the unit of the maps. NaN where no window fits into the
    image. In float32, for torch has no fast float64 convolution, and whatever precision a caller
    has autocast set to: under bf16 an image compared with itself would score 0.2.
    """
    if min(prediction.shape) < 2 * SIMILARITY_BORDER + 1:
        return np.full_like(prediction, np.nan)
    with torch.autocast("cpu", enabled=False):
        found = structural_similarity_index_measure(
            torch.from_numpy(np.ascontiguousarray(prediction))[None, None],
            torch.from_numpy(np.ascontiguousarray(target))[None, None],
            data_range=data_range,
            return_full_image=True,
        )
    assert isinstance(found, tuple)
    return np.asarray(found[1][0, 0].numpy())


def measure_fidelity(
    prediction: Float32Map,
    target: Float32Map,
    similarity: Float32Map,
    region: NDArray[np.bool_],
    data_range: float,
) -> Mapping[str, float]:
    """mse, mae, psnr, ssim and pearson over the pixels of `region`, all maps (y, x).

    Nothing is clipped. `data_range` is the peak of PSNR. `similarity` is what `similarity_map`
    gives: its mean over a part, and over the whole image but a border of 5 pixels, as the paper
    and scikit-image have it. NaN where the region is empty, and for the correlation with a flat
    map.
    """
    if not region.any():
        return dict.fromkeys(("mse", "mae", "psnr", "ssim", "pearson"), float("nan"))
    inside = torch.from_numpy(prediction[region].astype(np.float64))
    wanted = torch.from_numpy(target[region].astype(np.float64))
    flat = min(float(inside.var()), float(wanted.var())) < _FLAT
    edge = slice(SIMILARITY_BORDER, -SIMILARITY_BORDER)
    similar = similarity[edge, edge] if region.all() else similarity[region]
    return {
        "mse": float(mean_squared_error(inside, wanted)),
        "mae": float(mean_absolute_error(inside, wanted)),
        "psnr": float(peak_signal_noise_ratio(inside, wanted, data_range=data_range)),
        "ssim": float(similar.mean(dtype=np.float64)) if similar.size else float("nan"),
        "pearson": float("nan") if flat else float(pearson_corrcoef(inside, wanted)),
    }
