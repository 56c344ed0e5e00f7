"""Contrast-to-noise ratio of lung against air."""

import numpy as np
from numpy.typing import NDArray


def contrast_to_noise(lung: NDArray[np.floating], air: NDArray[np.floating]) -> float:
    """CNR = (mean lung - mean air) / sqrt(var lung + var air), without unit: Frey et al.

    It takes any smoothing for an improvement, since smoothing lowers both variances and leaves both
    means: read it beside the resolution and the bias at edges.

    Args:
        lung: pixels (n) or (y, x) of lung.
        air: pixels (m) or (y, x) of air, in the same unit.

    Returns:
        The ratio; NaN with fewer than two pixels of either, and without any noise.
    """
    if min(lung.size, air.size) < 2:
        return float("nan")
    contrast = lung.mean(dtype=np.float64) - air.mean(dtype=np.float64)
    noise = np.sqrt(lung.var(dtype=np.float64) + air.var(dtype=np.float64))
    return float(contrast / noise) if noise > 0 else float("nan")
