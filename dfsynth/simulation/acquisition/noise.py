"""Photon noise of transmission and dark-field: by formula, and by counted photons where few."""

from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition.noise_sigma import dark_field_noise_sigma

_FEW_PHOTONS = 1e3
"""Below this many photons the fitted visibility is biased and no formula serves."""
_STEPS = 6
_PHASES_RAD = 2 * np.pi * np.arange(_STEPS) / _STEPS


@dataclass(frozen=True, slots=True)
class NoiseParameters:
    """The dose and contrast of an interferometric scan."""

    photons: float
    """N0: detected photons in one detector pixel of the open field, all steps together."""
    visibility: float
    """V0 of the reference scan, 0 to 1."""
    reference_photons: float
    """The same as `photons`, for the reference scan."""
    detector_pixel_mm: float = 0.36
    """Pitch in the plane of the patient to which the photon numbers refer [assumed]."""


def draw_noise(rng: np.random.Generator) -> NoiseParameters:
    """Draws N0 log-uniform from 3e4 to 1e6, V0 0.2 to 0.4 [assumed].

    The reference scan has ten times the photons, being one of several exposures [assumed].
    """
    photons = float(np.exp(rng.uniform(np.log(3e4), np.log(1e6))))
    return NoiseParameters(
        photons=photons,
        visibility=float(rng.uniform(0.2, 0.4)),
        reference_photons=10 * photons,
    )


def photons_a_pixel(photons: float, pixel_mm: float, detector_pixel_mm: float) -> float:
    """Photons in a pixel of `pixel_mm` that bins detector pixels with `photons` each.

    A pixel finer than the detector's is interpolated and gains no photons, and loses none.
    """
    return photons * max(1.0, pixel_mm / detector_pixel_mm) ** 2


def measure_transmission(
    transmission: Float32Map, photons: float, rng: np.random.Generator
) -> Float32Map:
    """`transmission` (y, x) as counted with `photons` a pixel in the open field, ≥ 0."""
    mean = transmission * photons
    counted = mean + np.sqrt(mean) * rng.standard_normal(mean.shape, np.float32)
    few = mean < _FEW_PHOTONS
    counted[few] = rng.poisson(mean[few])
    return np.asarray(np.maximum(counted, 0) / photons, np.float32)


def measure_dark_field(
    dark_field: Float32Map,
    transmission: Float32Map,
    pixel_mm: float,
    parameters: NoiseParameters,
    rng: np.random.Generator,
) -> tuple[Float32Map, Float32Map]:
    """One noisy scan of `dark_field` D and `transmission` T > 0: (D, T), both (y, x).

    Where more than a thousand photons arrive, Gaussian noise of `dark_field_noise_sigma`; below,
    six phase steps of Poisson counts and a least-squares fit, whose visibility is never
    negative and too large on average (Kaeppler et al., Medical Physics 44, 2017).
    """
    photons = photons_a_pixel(parameters.photons, pixel_mm, parameters.detector_pixel_mm)
    reference = photons_a_pixel(
        parameters.reference_photons, pixel_mm, parameters.detector_pixel_mm
    )
    sigma = dark_field_noise_sigma(
        dark_field, transmission, photons, parameters.visibility, reference
    )
    noisy = dark_field + sigma * rng.standard_normal(dark_field.shape, np.float32)
    seen = measure_transmission(transmission, photons, rng)
    few = transmission * photons < _FEW_PHOTONS
    if few.any():
        contrast = np.float32(parameters.visibility) * np.exp(-dark_field[few])
        fitted, counts = step_phases(transmission[few] * photons, contrast, rng)
        spread = np.sqrt((2 / parameters.visibility**2 - 1) / reference)
        log_reference = np.log(parameters.visibility) + spread * rng.standard_normal(fitted.shape)
        noisy[few] = log_reference - np.log(fitted)
        seen[few] = counts / photons
    return np.asarray(noisy, np.float32), seen


def step_phases(
    mean_counts: Float32Map, contrast: Float32Map, rng: np.random.Generator
) -> tuple[Float32Map, Float32Map]:
    """Fitted visibility and total counts of stepping curves at random phases, (pixels).

    `mean_counts` (pixels) are those of all steps together, `contrast` (pixels) the visibility.
    """
    start = rng.uniform(0, 2 * np.pi, mean_counts.shape)
    cosines = np.cos(_PHASES_RAD[:, None] + start)
    counts = rng.poisson(mean_counts / _STEPS * np.maximum(1 + contrast * cosines, 0))
    total = np.maximum(counts.sum(axis=0), 1)
    real = np.cos(_PHASES_RAD) @ counts
    imaginary = np.sin(_PHASES_RAD) @ counts
    amplitude = np.hypot(real, imaginary)
    # Counts are whole, so what is not zero is at least about one; a fit that finds exactly
    # nothing says no more than that it is less.
    return 2 * np.maximum(amplitude, 0.5) / total, total
