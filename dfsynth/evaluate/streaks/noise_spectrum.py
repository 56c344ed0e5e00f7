"""Noise power spectrum of errors in squares inside a region."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SQUARE_SIDE: Final = 16
"""Pixels a side of the squares that spectra are averaged over."""


@dataclass(frozen=True, slots=True, eq=False)
class NoiseSpectrum:
    """A radially averaged noise power spectrum."""

    frequencies_per_mm: Array
    """(m), cycles a mm: means of the rings."""
    power: Array
    """(m), square of the image's unit times mm², such as (1/m)² mm²."""
    ring_area: Array
    """(m), area of each ring of the frequency plane, in cycles² a mm²."""
    variance: float
    """Mean variance of the squares, in the square of the image's unit."""
    squares: int
    """How many squares it is averaged over; without any, all else is NaN or empty."""

    @property
    def integral(self) -> float:
        """Power times area over all rings, which is `variance` by Parseval's theorem."""
        return float((self.power * self.ring_area).sum()) if self.squares else float("nan")

    @property
    def mean_frequency_per_mm(self) -> float:
        """Mean frequency weighted by power: low for coarse noise, NaN without noise."""
        if not self.squares or self.integral <= 0:
            return float("nan")
        weights = self.power * self.ring_area
        return float((weights * self.frequencies_per_mm).sum() / weights.sum())


def measure_noise_spectrum(
    residual: NDArray[np.floating],
    region: NDArray[np.bool_],
    pixel_mm: float,
    side: int = SQUARE_SIDE,
) -> NoiseSpectrum:
    """NPS(f) = pixel² / side² · mean over squares of |DFT(residual - its mean)|²: ICRU report 87.

    Squares of `side` pixels that lie wholly inside the region, in a grid without overlap; each less
    its own mean, without a window, so that its integral over frequencies is the variance exactly.
    The price: where a spectrum falls steeply, a small part of its low end leaks into its tail. It
    is averaged over rings one frequency step wide, out to the corners of the plane.

    Args:
        residual: (y, x), image less truth, or less another image of the same noise law.
        region: (y, x), where it counts.
        pixel_mm: side of a pixel in mm.
        side: of the squares, in pixels.
    """
    patches = list(_squares(residual, region, side))
    if not patches:
        none = np.empty(0)
        return NoiseSpectrum(none, none, none, float("nan"), 0)
    stack = np.stack(patches).astype(np.float64)
    stack -= stack.mean(axis=(1, 2), keepdims=True)
    plane = (np.abs(np.fft.fft2(stack)) ** 2).mean(axis=0) * (pixel_mm / side) ** 2
    step = 1 / (side * pixel_mm)
    axis = np.fft.fftfreq(side, pixel_mm)
    radius = np.hypot(axis[:, None], axis[None, :])
    ring = np.rint(radius / step).astype(np.intp).ravel()
    held = np.bincount(ring)
    return NoiseSpectrum(
        frequencies_per_mm=np.bincount(ring, radius.ravel()) / held,
        power=np.bincount(ring, plane.ravel()) / held,
        ring_area=np.asarray(held * step**2, np.float64),
        variance=float(np.square(stack).mean()),
        squares=len(patches),
    )


def _squares(
    image: NDArray[np.floating], region: NDArray[np.bool_], side: int
) -> Iterator[NDArray[np.floating]]:
    """The squares (side, side) of the grid that lie inside the region."""
    for top in range(0, image.shape[0] - side + 1, side):
        for left in range(0, image.shape[1] - side + 1, side):
            place = slice(top, top + side), slice(left, left + side)
            if region[place].all():
                yield image[place]
