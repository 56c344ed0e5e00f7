"""A blurred step fitted to an edge-spread function."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import erf

Array = NDArray[np.float64]

FWHM_PER_SIGMA: Final = 2 * float(np.sqrt(2 * np.log(2)))
"""Full width at half maximum of a Gaussian over its standard deviation."""
_LEAST_SIGMA_PX: Final = 0.05
_FIRST_WIDTHS: Final = (0.02, 0.1)
"""Shares of the profile's length from which a fit starts: a sharp edge, and a blurred one."""


@dataclass(frozen=True, slots=True)
class BlurredStep:
    """low + (high - low) · (1 + erf((s - centre) / (sqrt(2) sigma))) / 2 along s."""

    low: float
    """Level far below the centre, in the unit of the image."""
    high: float
    """Level far above the centre, in the unit of the image."""
    centre_px: float
    sigma_px: float

    @property
    def fwhm_px(self) -> float:
        """Full width at half maximum of the derivative, which is a Gaussian."""
        return FWHM_PER_SIGMA * self.sigma_px


def fit_blurred_step(positions: Array, values: Array) -> BlurredStep | None:
    """The blurred step nearest to a rising edge-spread function, by least squares.

    Args:
        positions: (n) in pixels, ascending.
        values: (n) in the unit of the image.

    Returns:
        The fit, or None where there is no such edge to speak of: fewer than 8 values, a fit that
        falls, has its centre outside of the positions, is wider than half of them, or no end.
    """
    if positions.size < 8 or not np.isfinite(values).all() or np.ptp(values) == 0:
        return None
    length = float(np.ptp(positions))
    starts = [_first_guess(positions, values, width * length) for width in _FIRST_WIDTHS]
    bounds = (
        [-np.inf, -np.inf, positions[0], _LEAST_SIGMA_PX],
        [np.inf, np.inf, positions[-1], length],
    )
    fits = [
        least_squares(
            lambda step: _blurred_step(positions, *step) - values,
            np.clip(start, *np.array(bounds)),
            bounds=bounds,
            x_scale="jac",
        )
        for start in starts
    ]
    found = min((fit for fit in fits if fit.success), key=lambda fit: fit.cost, default=None)
    if found is None:
        return None
    best = BlurredStep(*map(float, found.x))
    crosses = positions[0] < best.centre_px < positions[-1]
    rises = best.high > best.low
    return best if crosses and rises and best.sigma_px < length / 2 else None


def _first_guess(positions: Array, values: Array, sigma_px: float) -> Array:
    """Levels and centre of a step without a model: (4,), as `BlurredStep` has them."""
    quarter = max(positions.size // 4, 1)
    low, high = float(np.median(values[:quarter])), float(np.median(values[-quarter:]))
    above = (values - (low + high) / 2) * np.sign(high - low) > 0
    # The place that puts most values below the middle before it, and most above it after it.
    balance = np.cumsum(np.where(above, -1, 1))
    return np.array([low, high, positions[int(np.argmax(balance))], sigma_px])


def _blurred_step(s: Array, low: float, high: float, centre: float, sigma: float) -> Array:
    rise = (1 + erf((s - centre) / (np.sqrt(2) * sigma))) / 2
    return np.asarray(low + (high - low) * rise)
