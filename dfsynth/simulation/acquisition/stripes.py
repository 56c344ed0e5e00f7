"""Horizontal stripes of a slot scanner, and the seams between its passes."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.signal import lfilter

from dfsynth.records import Float32Map

_DETECTOR_ROW_MM = 0.36
_LEAST_TRANSMISSION = 1e-3


@dataclass(frozen=True, slots=True)
class StripeParameters:
    """A row field, autoregressive from detector row to detector row, and a few bands.

    Stripes like these are in published images (Felsner et al. 2026); the model is [assumed].
    """

    sd: float
    """Standard deviation in D where the beam is open."""
    correlation: float
    """From one detector row to the next, 0 to 1."""
    band_centres: tuple[float, ...]
    """Seams, as shares of the image's height."""
    band_widths_mm: tuple[float, ...]
    band_steps: tuple[float, ...]
    """In D."""
    seed: int
    """Of the row field."""


def draw_stripes(rng: np.random.Generator) -> StripeParameters:
    """Draws sd 0.01 to 0.05, log-uniform, correlation 0.5 to 0.95, one to three bands [assumed]."""
    sd, correlation = np.exp(rng.uniform(np.log(0.01), np.log(0.05))), rng.uniform(0.5, 0.95)
    bands = int(rng.integers(1, 4))
    return StripeParameters(
        sd=float(sd),
        correlation=float(correlation),
        band_centres=tuple(map(float, rng.uniform(0.05, 0.95, bands))),
        band_widths_mm=tuple(map(float, rng.uniform(2, 15, bands))),
        band_steps=tuple(map(float, rng.normal(0, sd, bands))),
        seed=int(rng.integers(2**63)),
    )


def stripe_field(
    transmission: Float32Map, pixel_mm: float, parameters: StripeParameters
) -> Float32Map:
    """What stripes and bands add to D, (y, x): constant along rows but for T^(−1/4)."""
    rows = transmission.shape[0]
    height_mm = rows * pixel_mm
    detector_rows = max(rows, round(height_mm / _DETECTOR_ROW_MM))
    noise = np.random.default_rng(parameters.seed).standard_normal(detector_rows)
    rho = parameters.correlation
    start = noise[0] * rho  # the state before the first row, as if the field went on above it
    fine = lfilter([np.sqrt(1 - rho**2)], [1, -rho], noise, zi=[start])[0]
    profile = cv2.resize(
        np.asarray(parameters.sd * fine, np.float32)[:, None],
        (1, rows),
        interpolation=cv2.INTER_AREA,
    ).ravel()
    place_mm = (np.arange(rows) + 0.5) * pixel_mm
    for centre, width_mm, step in zip(
        parameters.band_centres, parameters.band_widths_mm, parameters.band_steps, strict=True
    ):
        inside = 1 - 2 * np.abs(place_mm - centre * height_mm) / width_mm
        profile = profile + step * np.clip(2 * inside, 0, 1)
    strength = np.maximum(transmission, _LEAST_TRANSMISSION) ** -0.25
    return np.asarray(profile[:, None] * strength, np.float32)
