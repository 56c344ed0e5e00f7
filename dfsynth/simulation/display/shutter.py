"""Collimation: the straight edges of the field, and what an archive shows outside them."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

_SHIFT = 4
_PENUMBRA_SIGMAS = 3


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
    """Sides within 0 to 4 % of the image, top and bottom to 9 %, nearly parallel [assumed]."""
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


def widen_opening(parameters: ShutterParameters, kept: NDArray[np.bool_]) -> ShutterParameters:
    """The opening with sides moved outwards, parallel, until all of `kept` (y, x) is lit.

    Sides that hide nothing of it stay; so do all where nothing is kept.
    """
    rows, columns = np.nonzero(kept)
    if len(rows) == 0:
        return parameters
    height, width = kept.shape
    margin_px = 1.5 + _PENUMBRA_SIGMAS * _sigma_px(kept.shape, parameters)
    x, y = (columns + 0.5) / width, (rows + 0.5) / height
    corners = np.asarray(parameters.corners)
    ends = {"top": (0, 1), "right": (1, 2), "bottom": (2, 3), "left": (3, 0)}
    sides = {}
    for side, (first, last) in ends.items():
        # Upright sides are lines x(y), the others y(x): an offset and a slope.
        upright, outwards = side in ("left", "right"), 1 if side in ("right", "bottom") else -1
        along, across = (y, x) if upright else (x, y)
        to, at = (1, 0) if upright else (0, 1)
        run = corners[last] - corners[first]
        slope = run[at] / run[to]
        offset = corners[first][at] - slope * corners[first][to]
        needed = outwards * (across - slope * along) + margin_px / (width if upright else height)
        sides[side] = (outwards * max(outwards * offset, float(needed.max())), slope)
    met = (("left", "top"), ("right", "top"), ("right", "bottom"), ("left", "bottom"))
    return replace(parameters, corners=tuple(_meet(sides[a], sides[b]) for a, b in met))


def _meet(upright: tuple[float, float], level: tuple[float, float]) -> tuple[float, float]:
    """Where the line x = a + b y meets the line y = c + d x."""
    (a, b), (c, d) = upright, level
    x = (a + b * c) / (1 - b * d)
    return float(x), float(c + d * x)


def _sigma_px(shape: tuple[int, ...], parameters: ShutterParameters) -> float:
    return parameters.penumbra_px * min(shape) / 512


def field_opening(shape: tuple[int, int], parameters: ShutterParameters) -> Float32Map:
    """1 inside the field, 0 outside, in between at its edges, (y, x)."""
    opening = np.zeros(shape, np.uint8)
    corners = np.asarray(parameters.corners) * (shape[1], shape[0]) - 0.5
    fixed = np.round(corners * (1 << _SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(opening, fixed, 255, cv2.LINE_AA, _SHIFT)
    sigma_px = _sigma_px(shape, parameters)
    share = opening.astype(np.float32) / np.float32(255)
    if sigma_px < 0.2 or opening.all():
        return share
    return np.asarray(cv2.GaussianBlur(share, (0, 0), sigma_px), np.float32)


def close_shutter(image: Float32Map, parameters: ShutterParameters) -> Float32Map:
    """Grey values (y, x) in [0, 1] with those outside the field replaced."""
    opening = field_opening((image.shape[0], image.shape[1]), parameters)
    return np.asarray(parameters.grey + (image - parameters.grey) * opening, np.float32)
