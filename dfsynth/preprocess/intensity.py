"""Values of images → model inputs, by the convention that a checkpoint was trained with.

`IntensityWindow` and `IntensityRange` part here, and in `decoder_of`, which has them decoded; the
rest of this stage is the same for both.
"""

from typing import Final

import numpy as np

from dfsynth.records import (
    BEYOND_RANGE,
    CLIPPED,
    LOW_CONTRAST,
    DecodedImage,
    Float32Map,
    Intensity,
    IntensityRange,
)

LOW_CONTRAST_SHARE = 0.10
"""Flagged `low_contrast`: the window spans less than this share of the range in use."""
CLIPPED_SHARE = 0.05
"""Flagged `clipped`: at least this share of the image sits on an end of the range in use."""
BEYOND_SHARE = 0.25
"""Flagged `beyond_range`: more than this share of an image of values lies `BEYOND_RANGES` or more
of the network's ranges above or below the network's."""
BEYOND_RANGES = 4.0
_SIXTEEN_BITS: Final = 65535.0
_DEPTHS: Final = (8, 10, 12, 14)
_ROUNDING_SHARE = 1e-5
"""Of the range: averaging equal grey values gives them back but for float32 rounding."""


def to_unit_range(
    pixels: Float32Map, intensity: Intensity, ends: tuple[float, float] | None = None
) -> Float32Map:
    """`pixels` (y, x) → the same shape, 0 and 1 where the convention puts them.

    Of an `IntensityWindow` in [0, 1], clipped: archives store radiographs after unknown look-up
    curves, some as faint exports that use a tenth of the grey values; a percentile window is what
    all of them share. An image without contrast between the percentiles gives zeros.

    Of an `IntensityRange` nothing is clipped: noise goes below 0 and dense matter above 1, and a
    value means the same in every image.

    `ends` is what `window_ends` gives of the image, where that is known already.
    """
    # Ends are rounded before their difference, so that what is as bright as the upper one is 1.
    low, high = map(np.float32, ends or window_ends(pixels, intensity))
    if high <= low:
        return np.zeros_like(pixels)
    scaled = (pixels - low) / (high - low)
    if isinstance(intensity, IntensityRange):
        return np.asarray(scaled, np.float32)
    return np.clip(scaled, 0.0, 1.0)


def window_ends(pixels: Float32Map, intensity: Intensity) -> tuple[float, float]:
    """The values of an image (y, x) that `to_unit_range` makes 0 and 1."""
    if isinstance(intensity, IntensityRange):
        return intensity.low, intensity.high
    low, high = np.percentile(pixels, [intensity.low_percentile, intensity.high_percentile])
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
    pixels: Float32Map,
    intensity: Intensity,
    low: float,
    high: float,
    ends: tuple[float, float] | None = None,
) -> tuple[str, ...]:
    """What the values of an image (y, x) warn of; `low` and `high` end its range in use.

    `ends` is what `window_ends` gives of the image, where that is known already.

    Of an `IntensityRange`, `low_contrast` says that all values are equal, as in a slice outside
    the body; `clipped` is never said, since nothing is. `beyond_range` is said of these alone.
    """
    if isinstance(intensity, IntensityRange):
        flat = (LOW_CONTRAST,) if pixels.min() == pixels.max() else ()
        beyond = is_beyond(pixels, intensity.low, intensity.high)
        return (*flat, BEYOND_RANGE) if beyond else flat
    found = []
    bottom, top = ends or window_ends(pixels, intensity)
    if top - bottom < LOW_CONTRAST_SHARE * (high - low):
        found.append(LOW_CONTRAST)
    rounding = np.float32(_ROUNDING_SHARE * (high - low))
    black, white = pixels <= low + rounding, pixels >= high - rounding
    if max(map(np.count_nonzero, (black, white))) / pixels.size >= CLIPPED_SHARE:
        found.append(CLIPPED)
    return tuple(found)


def is_beyond(pixels: Float32Map, low: float, high: float, ranges: float = BEYOND_RANGES) -> bool:
    """Whether more than `BEYOND_SHARE` of an image (y, x) lies `ranges` × (high - low) or more
    below `low` or above `high`."""
    reach = ranges * (high - low)
    beyond = (pixels < low - reach) | (pixels > high + reach)
    return bool(np.count_nonzero(beyond) > BEYOND_SHARE * pixels.size)
