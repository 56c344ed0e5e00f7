"""Fewer samples by bicubic interpolation, and noise: the baseline of super-resolution."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.records import Float32Map, Parameter

_FACTORS: Final = (2.0, 4.0)
"""How much coarser than the image its samples become [assumed]."""
_NOISE: Final = (0.0, 0.02)
"""Standard deviation in grey values from 0 to 1 [assumed]."""


@dataclass(frozen=True, slots=True)
class BicubicDraw:
    """What is drawn for one image."""

    factor: float
    """Distance of samples in pixels."""
    noise_sd: float
    """Of white noise in grey values from 0 to 1."""
    seed: int


class BicubicDegrader:
    """Implements `Degrader`: bicubic down, bicubic up, white noise.

    Goyal et al. (DiffusionXRay, 2025) train on such images as their baseline.
    """

    name = "bicubic"

    def fingerprint(self) -> str:
        """See `Degrader`."""
        return "1"

    def degrade(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """See `Degrader`."""
        draw = _draw(rng)
        rows, columns = (max(1, round(side / draw.factor)) for side in image.shape)
        coarse = _resized(torch.from_numpy(image), (rows, columns))
        found = _resized(coarse, (image.shape[0], image.shape[1])).numpy()
        noise = np.random.default_rng(draw.seed).standard_normal(image.shape, np.float32)
        return np.clip(found + np.float32(draw.noise_sd) * noise, 0, 1)

    def drawn(self, rng: np.random.Generator) -> Mapping[str, Parameter]:
        """See `Degrader`."""
        draw = _draw(rng)
        return {
            "sample_columns": draw.factor,
            "sample_rows": draw.factor,
            "noise_sd": draw.noise_sd,
        }


def _draw(rng: np.random.Generator) -> BicubicDraw:
    return BicubicDraw(
        factor=float(rng.uniform(*_FACTORS)),
        noise_sd=float(rng.uniform(*_NOISE)),
        seed=int(rng.integers(2**63)),
    )


def _resized(image: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """An image (y, x) in another shape, without aliases where that is coarser."""
    found = F.interpolate(image[None, None], size=shape, mode="bicubic", antialias=True)
    return found[0, 0]
