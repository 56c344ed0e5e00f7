"""What would be known by somebody who knows the truth but for the noise: the bound of all trust.

Much of a dark-field image is not in the attenuation image, so that no generator reaches it; but no
figure of trust can be judged without it.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from dfsynth.records import Float32Map

NEIGHBOURHOOD_PIXELS = 4.0
"""Standard deviation of the neighbourhood that noise power is averaged over [assumed]."""


def noise_sigma(noisy: Float32Map, clean: Float32Map) -> Float32Map:
    """Local standard deviation of noise and artefacts, (y, x): known from no single pixel.

    The root of (noisy − clean)² averaged by a Gaussian of `NEIGHBOURHOOD_PIXELS`. It takes noise
    as the pair has it, blur and artefacts with it, and needs no record of dose and visibility.
    """
    power = gaussian_filter(np.square(noisy - clean, dtype=np.float64), NEIGHBOURHOOD_PIXELS)
    return np.sqrt(power).astype(np.float32)


def error_sigma(prediction: Float32Map, clean: Float32Map, noise: Float32Map) -> Float32Map:
    """The standard deviation that would describe each pixel's error: |prediction − clean| + noise.

    Added in squares; what is left unknown is the noise that came out.
    """
    return np.hypot(prediction - clean, noise).astype(np.float32)
