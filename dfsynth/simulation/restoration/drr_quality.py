"""The quality of a digitally reconstructed radiograph: coarse voxels, thick slices, few greys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.records import Float32Map, Parameter

_VOXELS: Final = (1.5, 3.0)
"""Width of a voxel in pixels of the image [assumed]."""
_SLICES: Final = (1.0, 1.6)
"""Distance of slices over the width of a voxel [assumed]."""
_BLUR_PX: Final = (0.3, 1.0)
"""Standard deviation of what kernel and interpolation blur beside that [assumed]."""
_BLACK: Final = (0.0, 0.05)
_WHITE: Final = (0.93, 1.0)
"""Grey values beyond which all is black or white [assumed]."""
_NOISE: Final = (0.0, 0.01)
_GREY_LEVELS: Final = (64, 128, 256)


@dataclass(frozen=True, slots=True)
class DrrDraw:
    """What is drawn for one image."""

    voxel_px: float
    """Width of a voxel in pixels."""
    slice_px: float
    """Distance of slices in pixels."""
    blur_px: float
    black: float
    """Grey value from 0 to 1 below which all is black."""
    white: float
    """Grey value from 0 to 1 above which all is white."""
    noise_sd: float
    grey_levels: int
    seed: int


class DrrDegrader:
    """Implements `Degrader`: what a radiograph would be if it were computed from a CT volume.

    Means over voxels, which are higher than wide since slices are thick; linear interpolation
    between them; the blur of a kernel; noise; a range of grey values that ends early, in few
    steps. Whole bodies lie in one frame, so that a coarser scan is a coarser image: all lengths
    are in pixels.
    """

    name = "drr"

    def fingerprint(self) -> str:
        """See `Degrader`."""
        return "1"

    def degrade(self, image: Float32Map, rng: np.random.Generator) -> Float32Map:
        """See `Degrader`."""
        draw = _draw(rng)
        height, width = image.shape
        shape = max(1, round(height / draw.slice_px)), max(1, round(width / draw.voxel_px))
        voxels = F.interpolate(
            torch.from_numpy(image)[None, None], size=shape, mode="bilinear", antialias=True
        )
        smooth = F.interpolate(voxels, size=(height, width), mode="bilinear")[0, 0].numpy()
        found = cv2.GaussianBlur(smooth, (0, 0), draw.blur_px, borderType=cv2.BORDER_REPLICATE)
        noise = np.random.default_rng(draw.seed).standard_normal(image.shape, np.float32)
        found = np.clip(found + np.float32(draw.noise_sd) * noise, draw.black, draw.white)
        steps = np.float32(draw.grey_levels - 1)
        return np.asarray(np.round(found * steps) / steps, np.float32)

    def drawn(self, rng: np.random.Generator) -> Mapping[str, Parameter]:
        """See `Degrader`."""
        draw = _draw(rng)
        return {
            "sample_columns": draw.voxel_px,
            "sample_rows": draw.slice_px,
            "blur_px": draw.blur_px,
            "noise_sd": draw.noise_sd,
            "black": draw.black,
            "white": draw.white,
            "grey_levels": draw.grey_levels,
        }


def _draw(rng: np.random.Generator) -> DrrDraw:
    voxel_px = float(rng.uniform(*_VOXELS))
    return DrrDraw(
        voxel_px=voxel_px,
        slice_px=voxel_px * float(rng.uniform(*_SLICES)),
        blur_px=float(rng.uniform(*_BLUR_PX)),
        black=float(rng.uniform(*_BLACK)),
        white=float(rng.uniform(*_WHITE)),
        noise_sd=float(rng.uniform(*_NOISE)),
        grey_levels=int(rng.choice(_GREY_LEVELS)),
        seed=int(rng.integers(2**63)),
    )
