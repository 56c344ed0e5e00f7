"""Photon noise of the dark-field signal."""

import numpy as np

from dfsynth.records import Float32Map

_LOG_TRANSMISSION_BLACK_TO_WHITE = 5.0
"""−ln T over the display range [assumed]: lung near 0.35 gives T 0.17, mediastinum 0.02."""


def transmission_from_display(image: Float32Map) -> Float32Map:
    """A rough transmission T in (0, 1] for an archive image (y, x) in [0, 1], dense bright."""
    return np.exp(-_LOG_TRANSMISSION_BLACK_TO_WHITE * image).astype(np.float32)


def dark_field_noise_sigma(
    dark_field: Float32Map,
    transmission: Float32Map,
    photons: float,
    visibility: float,
    reference_photons: float,
) -> Float32Map:
    """Standard deviation of D by error propagation of a phase-stepping fit, (y, x).

    sigma² = (2 exp(2D) / V0² − 1) / (N0 T) + (2 / V0² − 1) / N_ref, with N0 `photons` a pixel in
    the open field over the whole scan, N_ref `reference_photons` the same of the reference scan,
    V0 the reference `visibility`, T the transmission.
    """
    sample = (2 * np.exp(2 * dark_field) / visibility**2 - 1) / (photons * transmission)
    reference = (2 / visibility**2 - 1) / reference_photons
    return np.sqrt(sample + reference).astype(np.float32)
