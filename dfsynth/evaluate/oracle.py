"""What somebody would know who knows all but the noise: the bound of every uncertainty.

Much of a dark-field image is not in the attenuation image, so that no generator reaches the bound;
but no figure of uncertainty can be read without it.
"""

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

from dfsynth.records import Float32Map

NEIGHBOURHOOD_PIXELS: Final = 4.0
"""Standard deviation of the neighbourhood that noise is averaged over [assumed]."""


def expected_target(noisy: Float32Map, clean: Float32Map) -> tuple[Float32Map, Float32Map]:
    """The mean of the noisy target around each pixel and its standard deviation there; all (y, x).

    Noise and artefacts together, (noisy − clean), have a mean that is not 0: scatter and beam
    hardening leave an offset, which networks learn and a bound must know. Mean and standard
    deviation are taken over a Gaussian of `NEIGHBOURHOOD_PIXELS`; no record of dose and visibility
    is needed.
    """
    noise = (noisy - clean).astype(np.float64)
    offset = gaussian_filter(noise, NEIGHBOURHOOD_PIXELS)
    power = gaussian_filter(np.square(noise - offset), NEIGHBOURHOOD_PIXELS)
    return (clean + offset).astype(np.float32), np.sqrt(power).astype(np.float32)


def error_sigma(prediction: Float32Map, expected: Float32Map, noise: Float32Map) -> Float32Map:
    """The sigma that describes each pixel's error best: |prediction − expected| and noise.

    Added in squares; all maps (y, x), in the unit of the signal. What is left unknown is the noise
    that came out.
    """
    return np.hypot(prediction - expected, noise).astype(np.float32)
