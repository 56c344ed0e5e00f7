"""A patient who moves while the slot passes, bottom to top."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map


@dataclass(frozen=True, slots=True)
class MotionParameters:
    """Two sways of the whole body, and the blur of what moves while a row is in the slot.

    The scan takes 7 s from bottom to top (Willer et al. 2021); the motion is [assumed].
    """

    breath_hz: float
    """Frequency of an imperfectly held breath, in Hz."""
    breath_x_mm: float
    breath_y_mm: float
    """Amplitude of the breath; y is along the image's columns."""
    heart_hz: float
    """Frequency of the heartbeat, in Hz."""
    heart_x_mm: float
    heart_y_mm: float
    start_rad: tuple[float, float]
    """Phases of breath and heart at the bottom row."""
    blur_mm: float
    """Sigma, across both axes."""
    scan_s: float = 7.0


def draw_motion(rng: np.random.Generator) -> MotionParameters:
    """Breath within 1 mm at 0.1 to 0.3 Hz, heart within 0.4 mm at 0.9 to 1.6 Hz, blur ≤ 0.8 mm."""
    return MotionParameters(
        breath_hz=float(rng.uniform(0.1, 0.3)),
        breath_x_mm=float(rng.uniform(0, 0.5)),
        breath_y_mm=float(rng.uniform(0, 1.0)),
        heart_hz=float(rng.uniform(0.9, 1.6)),
        heart_x_mm=float(rng.uniform(0, 0.4)),
        heart_y_mm=float(rng.uniform(0, 0.3)),
        start_rad=(float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0, 2 * np.pi))),
        blur_mm=float(rng.uniform(0.1, 0.8)),
    )


def move(
    maps: tuple[Float32Map, ...], pixel_mm: float, parameters: MotionParameters
) -> tuple[Float32Map, ...]:
    """Line integrals (y, x) as a scan of the moving body sees them, in the order given.

    Every row is displaced as a whole, by where the body is when the slot passes.
    """
    height, width = maps[0].shape
    seconds = parameters.scan_s * (1 - (np.arange(height) + 0.5) / height)
    breath = np.sin(2 * np.pi * parameters.breath_hz * seconds + parameters.start_rad[0])
    heart = np.sin(2 * np.pi * parameters.heart_hz * seconds + parameters.start_rad[1])
    right_px = (parameters.breath_x_mm * breath + parameters.heart_x_mm * heart) / pixel_mm
    down_px = (parameters.breath_y_mm * breath + parameters.heart_y_mm * heart) / pixel_mm
    columns = (np.arange(width)[None, :] - right_px[:, None]).astype(np.float32)
    rows = np.broadcast_to((np.arange(height) - down_px)[:, None], (height, width))
    rows = np.ascontiguousarray(rows, np.float32)
    sigma_px = parameters.blur_mm / pixel_mm
    moved = []
    for one in maps:
        swept = cv2.remap(one, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if sigma_px > 0.15:
            swept = cv2.GaussianBlur(swept, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)
        moved.append(np.asarray(swept, np.float32))
    return tuple(moved)
