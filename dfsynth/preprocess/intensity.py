"""Grey values of any archive → [0, 1], by the convention that a checkpoint was trained with."""

from typing import Final

import numpy as np

from dfsynth.records import CLIPPED, LOW_CONTRAST, DecodedImage, Float32Map, IntensityWindow

LOW_CONTRAST_SHARE = 0.10
"""Flagged `low_contrast`: the window spans less than this share of the range in use."""
CLIPPED_SHARE = 0.05
"""Flagged `clipped`: at least this share of the image sits on an end of the range in use."""
_SIXTEEN_BITS: Final = 65535.0
_DEPTHS: Final = (8, 10, 12, 14)
_ROUNDING_SHARE = 1e-5
"""Of the range: averaging equal grey values gives them back but for float32 rounding."""


def to_unit_range(pixels: Float32Map, window: IntensityWindow) -> Float32Map:
    """`pixels` (y, x) of any range → the same shape in [0, 1], clipped.

    Archives store radiographs after unknown look-up curves, some as faint exports that use a
    tenth of the grey values; a percentile window is what all of them share. An image without
    contrast between the percentiles gives zeros.
    """
    low, high = window_ends(pixels, window)
    if high <= low:
        return np.zeros_like(pixels)
    scaled = (pixels - np.float32(low)) / np.float32(high - low)
    return np.clip(scaled, 0.0, 1.0)


def window_ends(pixels: Float32Map, window: IntensityWindow) -> tuple[float, float]:
    """The grey values of an image (y, x) that `to_unit_range` makes 0 and 1."""
    low, high = np.percentile(pixels, [window.low_percentile, window.high_percentile])
    return float(low), float(high)


def range_in_use(image: DecodedImage) -> tuple[float, float]:
    """The ends of the grey values that an image was made with: (lowest, highest).

    They are those of its format, but for sixteen bits that hold fewer: detectors give 10, 12 or 14,
    which many archives store as they are (PadChest: 12 bits in 16-bit PNG). Then the smallest
    depth that holds all values counts, from the dark end or, of inverted images, from the bright.
    """
    if image.high - image.low != _SIXTEEN_BITS:
        return image.low, image.high
    lowest, highest = float(image.pixels.min()), float(image.pixels.max())
    for bits in _DEPTHS:
        span = float(2**bits - 1)
        if highest - image.low <= span:
            return image.low, image.low + span
        if image.high - lowest <= span:
            return image.high - span, image.high
    return image.low, image.high


def intensity_flags(
    pixels: Float32Map, window: IntensityWindow, low: float, high: float
) -> tuple[str, ...]:
    """What the grey values of an image (y, x) warn of; `low` and `high` end its range in use."""
    found = []
    bottom, top = window_ends(pixels, window)
    if top - bottom < LOW_CONTRAST_SHARE * (high - low):
        found.append(LOW_CONTRAST)
    rounding = np.float32(_ROUNDING_SHARE * (high - low))
    black, white = pixels <= low + rounding, pixels >= high - rounding
    if max(np.mean(black), np.mean(white)) >= CLIPPED_SHARE:
        found.append(CLIPPED)
    return tuple(found)
