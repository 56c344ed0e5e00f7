"""Radially averaged power spectra of images, and how far one is from another."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RINGS: Final = 32
"""From frequency 0 to 0.5 cycles a pixel."""
RING_CENTRES: Final = (np.arange(RINGS) + 0.5) / (2 * RINGS)
"""(32), cycles a pixel."""
_FLOOR: Final = (1 / 255) ** 2 / 12
"""Power of rounding to 8 bits: below it, decibels would be of nothing."""


def radial_power(image: NDArray[np.floating]) -> Array:
    """Power of an image (y, x) in rings of frequency, (32), in the square of its unit a pixel².

    |DFT(w · (image - mean))|² / sum w² with a Hann window w, which keeps the jump between opposite
    borders out, averaged over rings (Welch, IEEE Trans. Audio Electroacoust. 1967; 15: 70). White
    noise of variance v has v in all rings. NaN in rings that no frequency of a small image is in.
    """
    height, width = image.shape
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    values = image.astype(np.float64)
    plane = np.abs(np.fft.fft2(window * (values - values.mean()))) ** 2 / np.square(window).sum()
    radius = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    # The mean itself is in no ring, and the corners of the plane are beyond the last one.
    counted = (radius > 0) & (radius < 0.5)
    ring = (radius[counted] * 2 * RINGS).astype(np.intp)
    held = np.bincount(ring, minlength=RINGS)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(ring, plane[counted], minlength=RINGS) / held)


def log_spectral_distance(power: Array, truth: Array) -> float:
    """Root mean square difference of two spectra (n) in decibels; 0 is equal.

    Gray & Markel, IEEE Trans. Acoust. Speech Signal Process. 1976; 24: 380. Each ring counts alike.
    What is below the power of rounding to 8 bits, for values of 0 to 1, is taken for that.
    """
    decibels = 10 * np.log10(np.maximum(power, _FLOOR) / np.maximum(truth, _FLOOR))
    known = decibels[np.isfinite(decibels)]
    return float(np.sqrt(np.mean(np.square(known)))) if known.size else float("nan")
