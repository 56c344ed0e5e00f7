"""Collimation: the straight edges of the field, and what an archive shows outside them."""

from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map

_SHIFT = 4


@dataclass(frozen=True, slots=True)
class ShutterParameters:
    """A four-sided opening."""

    corners: tuple[tuple[float, float], ...]
    """(x, y) as shares of the image, clockwise from the upper left; may lie outside of it."""
    grey: float
    """Outside: 0 where the archive blackened it, near 1 where lead still shows."""
    penumbra_px: float
    """Sigma of the edge at 512 pixels a side."""


def draw_shutter(rng: np.random.Generator) -> ShutterParameters:
    """Sides within 0 to 4 % of the picture, top and bottom to 9 %, nearly parallel [assumed]."""
    inside = rng.random(4) < rng.uniform(0.2, 0.9)
    insets = np.where(inside, rng.exponential(0.02, 4), -0.1).clip(-0.1, (0.04, 0.09, 0.04, 0.09))
    tilts = rng.normal(0, 0.004 if rng.random() < 0.7 else 0.015, 4)
    left, top, right, bottom = insets
    corners = (
        (left, top),
        (1 - right + tilts[0], top + tilts[1]),
        (1 - right, 1 - bottom),
        (left + tilts[2], 1 - bottom + tilts[3]),
    )
    return ShutterParameters(
        corners=tuple((float(x), float(y)) for x, y in corners),
        grey=0.0 if rng.random() < 0.92 else float(rng.uniform(0.85, 1.0)),
        penumbra_px=float(rng.uniform(0.3, 1.5)),
    )


def field_opening(shape: tuple[int, int], parameters: ShutterParameters) -> Float32Map:
    """1 inside the field, 0 outside, in between at its edges, (y, x)."""
    opening = np.zeros(shape, np.uint8)
    corners = np.asarray(parameters.corners) * (shape[1], shape[0]) - 0.5
    fixed = np.round(corners * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(opening, fixed, 255, cv2.LINE_AA, _SHIFT)
    sigma_px = parameters.penumbra_px * min(shape) / 512
    share = opening.astype(np.float32) / np.float32(255)
    if sigma_px < 0.2 or opening.all():
        return share
    return np.asarray(cv2.GaussianBlur(share, (0, 0), sigma_px), np.float32)


def close_shutter(image: Float32Map, parameters: ShutterParameters) -> Float32Map:
    """Grey values (y, x) in [0, 1] with those outside the field replaced."""
    opening = field_opening((image.shape[0], image.shape[1]), parameters)
    return np.asarray(parameters.grey + (image - parameters.grey) * opening, np.float32)
