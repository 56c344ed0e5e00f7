"""Ellipses with known line integrals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry

_FINER = 8


@dataclass(frozen=True, slots=True)
class Ellipse:
    """An ellipse along the axes of a slice: places and semi-axes in mm, its coefficient in 1/m."""

    x: float
    y: float
    semi_x: float
    semi_y: float
    per_m: float


def draw_ellipses(ellipses: Sequence[Ellipse], side: int, pixel_mm: float) -> Float32Map:
    """Mean coefficients of the pixels (side, side) in 1/m; later ones replace earlier ones."""
    count = side * _FINER
    place = (np.arange(count) - (count - 1) / 2) * pixel_mm / _FINER
    fine = np.zeros((count, count), np.float32)
    for one in ellipses:
        inside = ((place - one.x) / one.semi_x) ** 2 + ((place[:, None] - one.y) / one.semi_y) ** 2
        fine[inside < 1] = one.per_m
    return fine.reshape(side, _FINER, side, _FINER).mean(axis=(1, 3), dtype=np.float32)


def line_integrals(ellipse: Ellipse, geometry: ScanGeometry) -> NDArray[np.float64]:
    """Chords of all rays times the coefficient, (shots, detector_pixels), by a quadratic equation.

    A ray is start + t direction; the ellipse is the unit circle after division by its semi-axes.
    """
    angles = 2 * np.pi * np.arange(geometry.shots)[:, None] / geometry.shots
    place = geometry.detector_mm(torch.device("cpu")).double().numpy()
    slope = place * geometry.divergence_per_mm
    cos, sin = np.cos(angles), np.sin(angles)
    start = np.stack([place * cos, place * sin], axis=-1) - [ellipse.x, ellipse.y]
    direction = np.stack([slope * cos - sin, slope * sin + cos], axis=-1)
    scale = np.array([ellipse.semi_x, ellipse.semi_y])
    start, direction = start / scale, direction / scale
    a, b = (direction**2).sum(-1), (start * direction).sum(-1)
    root = np.sqrt(np.maximum(b**2 - a * ((start**2).sum(-1) - 1), 0))
    return ellipse.per_m / 1000 * (2 * root / a) * np.sqrt(1 + slope**2)
