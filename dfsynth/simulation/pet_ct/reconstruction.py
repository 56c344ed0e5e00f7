"""Sinogram → slice by ordered subsets, as scanners have it: it is never negative."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.pet_ct.projector import LineProjector

ITERATIONS: Final = 3
"""Over all subsets [assumed: what clinics use]."""
_LEAST: Final = 1e-9
"""Over the sensitivity's and the data's mean: below it nothing is divided by."""


def reconstruct(
    sinogram: NDArray[np.float32],
    projector: LineProjector,
    pixel_mm: float,
    iterations: int = ITERATIONS,
) -> Float32Map:
    """A slice (y, x) from line integrals (subsets, views × bins), both at least 0.

    Ordered subsets expectation maximisation (Hudson and Larkin, IEEE Trans. Med. Imaging 13 (1994)
    601) with nothing in its model but lines: no attenuation, no scatter, no blur.
    """
    flat = np.ones(projector.side**2, np.float32)
    least = np.float32(_LEAST * max(float(sinogram.mean()), _LEAST))
    sensitivities = [
        np.maximum(subset.T @ np.ones(subset.shape[0], np.float32), np.float32(_LEAST))
        for subset in projector.subsets
    ]
    for _ in range(iterations):
        for subset, measured, seen in zip(projector.subsets, sinogram, sensitivities, strict=True):
            expected = np.maximum((subset @ flat) * np.float32(pixel_mm), least)
            flat = flat * (subset.T @ (measured / expected)) / seen
    return flat.reshape(projector.side, projector.side)
