"""The detector's own blur."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map

_NEGLIGIBLE_PX = 0.15


@dataclass(frozen=True, slots=True)
class BlurParameters:
    """A Gaussian point spread, in the plane of the patient."""

    sigma_mm: float


def draw_blur(rng: np.random.Generator, detector_pixel_mm: float = 0.36) -> BlurParameters:
    """Draws a sigma of 0.5 to 1 detector pixel of `detector_pixel_mm` [assumed]."""
    return BlurParameters(sigma_mm=float(rng.uniform(0.5, 1.0)) * detector_pixel_mm)


def spread_light(light: Float32Map, pixel_mm: float, parameters: BlurParameters) -> Float32Map:
    """A map (y, x) that is linear in the recorded light, blurred; its mean is kept."""
    sigma_px = parameters.sigma_mm / pixel_mm
    if sigma_px < _NEGLIGIBLE_PX:
        return light
    blurred = cv2.GaussianBlur(light, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def blur_signals(
    dark_field: Float32Map, transmission: Float32Map, pixel_mm: float, parameters: BlurParameters
) -> tuple[Float32Map, Float32Map]:
    """(D, T) of blurred light, (y, x): T and the fringes' amplitude T exp(−D) are what spreads."""
    if parameters.sigma_mm / pixel_mm < _NEGLIGIBLE_PX:
        return dark_field, transmission
    spread = spread_light(transmission, pixel_mm, parameters)
    # The smallest normal float keeps the ratio finite where metal stops everything.
    least = np.finfo(np.float32).tiny
    fringes = spread_light(transmission * np.exp(-dark_field), pixel_mm, parameters)
    ratio = np.maximum(fringes, least) / np.maximum(spread, least)
    return np.asarray(-np.log(ratio), np.float32), spread
