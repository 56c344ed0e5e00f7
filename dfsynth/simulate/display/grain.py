"""Noise that comes after processing: film scanned, values resampled."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class GrainParameters:
    """Gaussian noise in grey values, a little correlated."""

    sd: float
    sigma_px: float
    """Of the Gaussian that correlates it; the standard deviation stays."""
    seed: int


def draw_grain(rng: np.random.Generator) -> GrainParameters:
    """sd 0.001 to 0.01 log-uniform, sigma 0.3 to 0.9 pixel [assumed]."""
    return GrainParameters(
        sd=float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        sigma_px=float(rng.uniform(0.3, 0.9)),
        seed=int(rng.integers(2**63)),
    )


def add_grain(image: Float32Map, parameters: GrainParameters) -> Float32Map:
    """Grey values (y, x) with grain, not clipped."""
    noise = np.random.default_rng(parameters.seed).standard_normal(image.shape, np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), parameters.sigma_px, borderType=cv2.BORDER_REFLECT)
    scale = np.float32(parameters.sd / max(float(smooth.std()), 1e-6))
    return np.asarray(image + scale * smooth, np.float32)
