"""How the fluctuations of a signal in a region fall off with spatial frequency."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.statistics import largest_square

LOWEST_CYCLES: Final = 3
"""Below it, a Hann window lets in what is slower than the square is wide."""
HIGHEST_CYCLES: Final = 8
"""Cycles a side up to which the slope is fitted: mouse lobes and simulated lungs alike have it."""
_LEAST_SIDE: Final = 2 * HIGHEST_CYCLES + 1


def spectral_slope(signal: NDArray[np.floating], region: NDArray[np.bool_]) -> float:
    """Slope of the logarithm of the radially averaged power spectrum over that of frequency.

    Taken in the largest square inside the region, less its mean, under a Hann window, from
    `LOWEST_CYCLES` to `HIGHEST_CYCLES` cycles a side: 0 is white noise, and the more negative, the
    smoother the signal. No unit of length enters, so that organs of any size compare. Power laws
    come back within 0.25 down to -4; steeper ones, too steep, by what the window lets in.

    Args:
        signal: (y, x), any unit.
        region: (y, x), where the signal counts; its values elsewhere are not looked at.

    Returns:
        The slope; NaN where the square is too small for these frequencies, or the signal constant.
    """
    corner_y, corner_x, side = largest_square(region)
    if side < _LEAST_SIDE:
        return float("nan")
    patch = signal[corner_y : corner_y + side, corner_x : corner_x + side].astype(np.float64)
    window = np.hanning(side + 2)[1:-1]
    weights = window[:, None] * window[None, :]
    power = np.abs(np.fft.fft2((patch - np.average(patch, weights=weights)) * weights)) ** 2
    cycles = np.fft.fftfreq(side, 1 / side)
    radius = np.rint(np.hypot(cycles[:, None], cycles[None, :])).astype(np.int64)
    used = np.arange(LOWEST_CYCLES, HIGHEST_CYCLES + 1)
    mean_power = (
        np.bincount(radius.ravel(), power.ravel())[used] / np.bincount(radius.ravel())[used]
    )
    if not (mean_power > 0).all():
        return float("nan")
    return float(np.polyfit(np.log(used), np.log(mean_power), 1)[0])
