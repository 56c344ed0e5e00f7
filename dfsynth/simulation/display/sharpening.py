"""Unsharp masking."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.display.appearance import Appearance


@dataclass(frozen=True, slots=True)
class SharpeningParameters:
    """How much of what a Gaussian takes away is added once more."""

    sigma_mm: float
    """Of the Gaussian, in mm."""
    gain: float
    """Share of the difference that is added, 0 and up."""


_GAINS: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.0, 0.4),
    "film": (0.0, 0.1),
    "crisp": (0.2, 0.7),
    "equalised": (0.1, 0.6),
    "bedside": (0.0, 0.4),
}


def draw_sharpening(appearance: Appearance, rng: np.random.Generator) -> SharpeningParameters:
    """Sigma 0.7 to 5 mm, gain 0 to 1 [assumed, against edges measured in archives]."""
    return SharpeningParameters(
        sigma_mm=float(np.exp(rng.uniform(np.log(0.7), np.log(5)))),
        gain=float(rng.uniform(*_GAINS[appearance])),
    )


def sharpen(image: Float32Map, pixel_mm: float, parameters: SharpeningParameters) -> Float32Map:
    """image + gain · (image − blurred image), (y, x), not clipped."""
    sigma_px = max(parameters.sigma_mm / pixel_mm, 0.5)
    blurred = cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    return np.asarray(image + np.float32(parameters.gain) * (image - blurred), np.float32)
