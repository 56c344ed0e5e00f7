"""Which part of the plane an image shows, and how it lies: alike for every map of a pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.display.appearance import Appearance

Bars: TypeAlias = tuple[float, float, float, float]
NO_BARS: Final[Bars] = (0.0, 0.0, 0.0, 0.0)
_SQUEEZED: Final = 0.6
"""Share of a bar that squeezes the content; the rest hides it."""


@dataclass(frozen=True, slots=True)
class FramingParameters:
    """An affine map about the middle of the image, applied in the order of the fields."""

    stretch: float
    """Height over width after, for a square before; 1 keeps the aspect."""
    zoom: float
    """Over 1 shows less of the body, larger."""
    rotation_degrees: float
    """Counter-clockwise as seen."""
    shift_x: float
    """Of the content, to the right, as a share of the width."""
    shift_y: float
    """Of the content, downwards, as a share of the height."""
    bars: Bars = NO_BARS
    """Shares of the image that show nothing, at the left, top, right and bottom."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How a map is resampled."""

    nearest: bool = False
    """For labels: no value that was not there."""
    sharp: bool = False
    """Cubic in place of linear, which blurs; never below 0."""
    fill: float | None = 0.0
    """Outside the map; None repeats its edge."""


_ZOOMS: Final[dict[Appearance, float]] = {
    "soft": 1.15,
    "film": 1.08,
    "crisp": 1.05,
    "equalised": 1.2,
    "bedside": 1.2,
}


def draw_framing(appearance: Appearance, rng: np.random.Generator) -> FramingParameters:
    """Rotation sd 2°, shift sd 2 %, zoom up to 1.2, stretch sd 4 %, bars in some [assumed]."""
    return FramingParameters(
        stretch=float(np.exp(rng.normal(0, 0.04))),
        zoom=float(rng.uniform(1.0, _ZOOMS[appearance])),
        rotation_degrees=float(rng.normal(0, 2)),
        shift_x=float(rng.normal(0, 0.02)),
        shift_y=float(rng.normal(0, 0.02)),
        bars=_draw_bars(appearance, rng),
    )


def _draw_bars(appearance: Appearance, rng: np.random.Generator) -> Bars:
    """Half of the "film" images end above the lower edge; a tenth of all are not square."""
    low, wide = float(rng.uniform(0.03, 0.3)), float(rng.uniform(0.02, 0.12))
    short, narrow, which = rng.random(3)
    if short < (0.5 if appearance == "film" else 0.03):
        return (0.0, 0.0, 0.0, low)
    if narrow < 0.1:
        return (wide, 0.0, wide, 0.0) if which < 0.5 else (0.0, wide, 0.0, wide)
    return NO_BARS


def frame_maps(
    maps: Mapping[str, Float32Map],
    resamplings: Mapping[str, Resampling],
    parameters: FramingParameters | None,
) -> dict[str, Float32Map]:
    """Every map (y, x) in the new frame, of the same shape; None changes nothing.

    A map that `resamplings` does not name is interpolated linearly and 0 outside. In the bars, all
    are 0: what a radiograph does not show, no truth is told of.
    """
    if parameters is None:
        return dict(maps)
    framed = {}
    for name, values in maps.items():
        resampling = resamplings.get(name, Resampling())
        matrix = frame_matrix((values.shape[0], values.shape[1]), parameters)
        warped = cv2.warpAffine(
            values,
            matrix,
            values.shape[::-1],
            flags=_interpolation(resampling),
            borderMode=cv2.BORDER_REPLICATE if resampling.fill is None else cv2.BORDER_CONSTANT,
            borderValue=resampling.fill or 0.0,
        )
        rows, columns = open_part((values.shape[0], values.shape[1]), parameters.bars)
        inside = np.zeros_like(values)
        inside[rows, columns] = warped[rows, columns]
        if resampling.sharp:
            np.maximum(inside, 0, out=inside)
        framed[name] = inside
    return framed


def _interpolation(resampling: Resampling) -> int:
    if resampling.nearest:
        return cv2.INTER_NEAREST
    return cv2.INTER_CUBIC if resampling.sharp else cv2.INTER_LINEAR


def open_part(shape: tuple[int, int], bars: Bars) -> tuple[slice, slice]:
    """Rows and columns of an image of `shape` (height, width) that lie between its bars."""
    height, width = shape
    left, top, right, bottom = bars
    return (
        slice(round(top * height), height - round(bottom * height)),
        slice(round(left * width), width - round(right * width)),
    )


def frame_matrix(shape: tuple[int, int], parameters: FramingParameters) -> Float32Map:
    """(2, 3): takes (x, y) in pixels of the old frame to the new one."""
    height, width = shape
    angle = np.deg2rad(parameters.rotation_degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x_scale, y_scale = _scales(parameters)
    linear = turn @ np.diag([x_scale, y_scale])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    left, top, right, bottom = parameters.bars
    squeeze = 1 - _SQUEEZED * np.array([left + right, top + bottom])
    linear = np.diag(squeeze) @ linear
    # Between the bars the top and the sides stay; a bar at the bottom alone hides the abdomen.
    share_x, share_y = _SQUEEZED * (left - right) / 2, _SQUEEZED * (top - bottom) / 2
    shift = np.array([share_x + parameters.shift_x, share_y + parameters.shift_y])
    return np.column_stack([linear, middle + shift * (width, height) - linear @ middle]).astype(
        np.float32
    )


def framed_pixel_mm(pixel_mm: float, parameters: FramingParameters | None) -> float:
    """Pixel pitch after framing; the geometric mean of both axes where they differ."""
    return pixel_mm if parameters is None else pixel_mm / parameters.zoom


def _scales(parameters: FramingParameters) -> tuple[float, float]:
    root = float(np.sqrt(parameters.stretch))
    return parameters.zoom / root, parameters.zoom * root
