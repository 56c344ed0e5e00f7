"""Power of streaks: the part of an error's spectrum that prefers directions."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]

ANGLES: Final = 36
"""Directions over 180 degrees, of 5 degrees each."""
LOWEST_PER_PX: Final = 1 / 16
"""Cycles a pixel below which the shape of lung and body shows."""
HIGHEST_PER_PX: Final = 1 / 4
"""Cycles a pixel above which interpolation and photon noise do."""
_RINGS: Final = 24
"""Rings of frequency in between."""
_RINGS_A_GROUP: Final = 4
"""Neighbouring rings that belong to one of both halves. Of each group the first ring belongs to
none: the region's edge mixes rings that touch, and what both halves share looks like streaks."""
_TAPER_PX: Final = 8.0
_LEAST_SIDE: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class StreakPower:
    """Streaks in an image of errors, as variance in the square of its unit."""

    directional: float
    """What is above the isotropic mean in preferred directions; about 0, and at times slightly
    below, for isotropic noise; NaN where the region has no room for it."""
    mid_band: float
    """Variance of all errors between `LOWEST_PER_PX` and `HIGHEST_PER_PX`."""
    angles_deg: Array
    """(36), centres of the directions in which streaks run, from the x axis towards y, which points
    down."""
    by_angle: Array
    """(36), how `mid_band` spreads over the directions; sums to it."""


def measure_streaks(residual: NDArray[np.floating], region: NDArray[np.bool_]) -> StreakPower:
    """Variance of errors in directions that they prefer, from their two-dimensional spectrum.

    A streak is long along its direction and narrow across it, so that its power lies on a line
    through the origin of the spectrum, across the streak; noise without a direction spreads evenly
    over angles. Of the error, less its mean and under a window that falls to 0 at the region's edge
    over 8 pixels, let p(f) be the power at frequency f, scaled so that all p sum to the variance.

    1. In each narrow ring |f| the mean over angles, the isotropic part, is taken off:
       d(f) = p(f) - mean of p over the ring. The mean over angles of d is 0 by construction.
    2. d is summed over frequencies in each of 36 directions, apart for two halves of interleaved
       groups of rings, with a ring left out between them: A_k and B_k, scaled for what is left out.
    3. directional = sum of B_k over k with A_k > 0, plus sum of A_k over k with B_k > 0.

    One half says which directions are preferred, the other how much is there: noise that chose its
    own directions would always count as streaks, and so has expectation 0. Streaks of amplitude a
    give a² in proportion, of one direction about four fifths of their power in the band, less where
    they share more directions. Streaks that run in every direction alike are not told from noise;
    `mid_band` holds them. The residual of a blurred image has the edges of the object, which have
    directions too.

    Args:
        residual: (y, x), image less truth, in any unit, such as 1/m.
        region: (y, x), where it counts, such as the body or the field of view.
    """
    centres = np.arange(ANGLES) * 180 / ANGLES
    window = _window(region)
    if min(residual.shape) < _LEAST_SIDE or not window.any():
        nan = float("nan")
        return StreakPower(nan, nan, centres, np.full(ANGLES, nan))
    inside = np.where(region, residual, 0.0).astype(np.float64)
    level = float((inside * window).sum() / window.sum())
    spectrum = np.fft.fft2((inside - level) * window)
    power = np.abs(spectrum) ** 2 / (residual.size * np.square(window).sum())
    (first, second, between), mid_band, scale = _deviations(power)
    directional = float(second[first > 0].sum() + first[second > 0].sum()) * scale
    by_angle = mid_band / ANGLES + first + second + between
    return StreakPower(directional, mid_band, centres, by_angle)


def _window(region: NDArray[np.bool_]) -> Array:
    """(y, x), from 0 at the region's edge to 1, `_TAPER_PX` further in, as half a cosine wave."""
    depth = ndimage.distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]
    return np.asarray((1 - np.cos(np.pi * np.clip(depth / _TAPER_PX, 0, 1))) / 2)


def _deviations(power: Array) -> tuple[Array, float, float]:
    """Power (y, x) above the mean of its ring, by rings and angles.

    Returns:
        Sums (3, angles) over the first half of the rings, the second, and what is left between;
        the power of all rings; and that over the power of both halves.
    """
    y, x = (np.fft.fftfreq(side) for side in power.shape)
    radius = np.hypot(y[:, None], x[None, :])
    # A streak runs across its wave vector.
    angle = (np.degrees(np.arctan2(y[:, None], x[None, :])) + 90) % 180
    used = (radius >= LOWEST_PER_PX) & (radius < HIGHEST_PER_PX)
    place = (radius[used] - LOWEST_PER_PX) / (HIGHEST_PER_PX - LOWEST_PER_PX)
    ring = np.minimum((place * _RINGS).astype(np.intp), _RINGS - 1)
    direction = np.rint(angle[used] * ANGLES / 180).astype(np.intp) % ANGLES
    sums = np.bincount(ring, power[used], minlength=_RINGS)
    means = sums / np.maximum(np.bincount(ring, minlength=_RINGS), 1)
    group, within = np.divmod(np.arange(_RINGS), _RINGS_A_GROUP)
    part = np.where(within == 0, 2, group % 2)
    cell = part[ring] * ANGLES + direction
    deviation = np.bincount(cell, power[used] - means[ring], minlength=3 * ANGLES)
    total, counted = float(sums.sum()), float(sums[part < 2].sum())
    parts = np.asarray(deviation, np.float64).reshape(3, ANGLES)
    return parts, total, total / counted if counted > 0 else 1.0
