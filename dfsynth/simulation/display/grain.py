"""The little noise that comes after processing: film scanned, values resampled.

What is seen of grain in archives follows the photons: `exposure` has it, before the grey scale.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.display.appearance import Appearance


@dataclass(frozen=True, slots=True)
class GrainParameters:
    """Gaussian noise in grey values, a little correlated."""

    sd: float
    sigma_px: float
    """Of the Gaussian that correlates it; the standard deviation stays."""
    seed: int


_STRENGTHS: Final[dict[Appearance, tuple[float, float]]] = {
    "soft": (0.0004, 0.003),
    "film": (0.0004, 0.003),
    "crisp": (0.0004, 0.003),
    "equalised": (0.0004, 0.006),
    "bedside": (0.0004, 0.004),
}


def draw_grain(appearance: Appearance, rng: np.random.Generator) -> GrainParameters:
    """sd 0.0004 to 0.006 by appearance, log-uniform, sigma 0.3 to 0.9 pixel [against archives]."""
    least, most = _STRENGTHS[appearance]
    return GrainParameters(
        sd=float(np.exp(rng.uniform(np.log(least), np.log(most)))),
        sigma_px=float(rng.uniform(0.3, 0.9)),
        seed=int(rng.integers(2**63)),
    )


def add_grain(image: Float32Map, parameters: GrainParameters, span: float = 1.0) -> Float32Map:
    """Grey values (y, x) with grain, not clipped; `span` is what lies between black and white."""
    noise = np.random.default_rng(parameters.seed).standard_normal(image.shape, np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), parameters.sigma_px, borderType=cv2.BORDER_REFLECT)
    scale = np.float32(span * parameters.sd / max(float(smooth.std()), 1e-6))
    return np.asarray(image + scale * smooth, np.float32)
