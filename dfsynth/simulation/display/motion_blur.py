"""What moves while the exposure lasts: heart and diaphragm."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from dfsynth.records import Float32Map

_HEART: Final = (0.56, 0.62, 0.2)
"""Middle (x, y) and standard deviation as shares of the image: somewhere near the left border."""
_STILL_ABOVE, _MOVED_BELOW = 0.45, 0.7
_NEGLIGIBLE_PX: Final = 0.15


@dataclass(frozen=True, slots=True)
class MotionBlurParameters:
    """Blur of soft tissue alone: ribs are moved far less."""

    heart_mm: float
    """Sigma in all directions where the heart usually is, less and less around it."""
    diaphragm_mm: float
    """Sigma along z in the lower half of the image."""


def draw_motion_blur(bedside: bool, rng: np.random.Generator) -> MotionBlurParameters:
    """A wall at 20 to 60 mm/s for 5 to 30 ms, at the bedside for up to 60 ms [assumed]."""
    longest = 1.8 if bedside else 1.0
    return MotionBlurParameters(
        heart_mm=float(rng.uniform(0.1, longest)), diaphragm_mm=float(rng.uniform(0.1, longest))
    )


def blur_moving_tissue(
    water_mm: Float32Map, pixel_mm: float, parameters: MotionBlurParameters
) -> Float32Map:
    """Line integrals of soft tissue (y, x) in mm, blurred where heart and diaphragm usually are."""
    height, width = water_mm.shape
    y, x = (np.arange(height) + 0.5) / height, (np.arange(width) + 0.5) / width
    moved = water_mm
    if parameters.heart_mm / pixel_mm > _NEGLIGIBLE_PX:
        middle_x, middle_y, reach = _HEART
        across, along = (
            np.exp(-0.5 * ((axis - middle) / reach) ** 2).astype(np.float32)
            for axis, middle in ((x, middle_x), (y, middle_y))
        )
        smooth = cv2.GaussianBlur(moved, (0, 0), parameters.heart_mm / pixel_mm)
        moved = moved + along[:, None] * across * (smooth - moved)
    if parameters.diaphragm_mm / pixel_mm > _NEGLIGIBLE_PX:
        share = np.clip((y - _STILL_ABOVE) / (_MOVED_BELOW - _STILL_ABOVE), 0, 1)
        smooth = _blur_columns(moved, parameters.diaphragm_mm / pixel_mm)
        moved = moved + share.astype(np.float32)[:, None] * (smooth - moved)
    return np.asarray(moved, np.float32)


def _blur_columns(values: Float32Map, sigma_px: float) -> Float32Map:
    reach = int(np.ceil(3 * sigma_px))
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma_px).astype(np.float32)
    nothing = np.ones((1, 1), np.float32)
    return np.asarray(
        cv2.sepFilter2D(values, -1, nothing, kernel, borderType=cv2.BORDER_REFLECT), np.float32
    )
