"""Which part of the plane an image shows, and how it lies: alike for every map of a pair."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from dfsynth.records import Float32Map


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


@dataclass(frozen=True, slots=True)
class Surface:
    """How a map is resampled."""

    nearest: bool = False
    """For labels: no value that was not there."""
    fill: float | None = 0.0
    """Outside the map; None repeats its edge."""


def draw_framing(rng: np.random.Generator) -> FramingParameters:
    """Rotation sd 2°, shift sd 2 %, zoom 1 to 1.15, stretch sd 4 % [assumed]."""
    return FramingParameters(
        stretch=float(np.exp(rng.normal(0, 0.04))),
        zoom=float(rng.uniform(1.0, 1.15)),
        rotation_degrees=float(rng.normal(0, 2)),
        shift_x=float(rng.normal(0, 0.02)),
        shift_y=float(rng.normal(0, 0.02)),
    )


def frame_maps(
    maps: Mapping[str, Float32Map],
    surfaces: Mapping[str, Surface],
    parameters: FramingParameters | None,
) -> dict[str, Float32Map]:
    """Every map (y, x) in the new frame, of the same shape; None changes nothing.

    A map that `surfaces` does not name is interpolated linearly and 0 outside.
    """
    if parameters is None:
        return dict(maps)
    framed = {}
    for name, values in maps.items():
        surface = surfaces.get(name, Surface())
        matrix = frame_matrix((values.shape[0], values.shape[1]), parameters)
        warped = cv2.warpAffine(
            values,
            matrix,
            values.shape[::-1],
            flags=cv2.INTER_NEAREST if surface.nearest else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE if surface.fill is None else cv2.BORDER_CONSTANT,
            borderValue=surface.fill or 0.0,
        )
        framed[name] = np.asarray(warped, values.dtype)
    return framed


def frame_matrix(shape: tuple[int, int], parameters: FramingParameters) -> Float32Map:
    """(2, 3): takes (x, y) in pixels of the old frame to the new one."""
    height, width = shape
    angle = np.deg2rad(parameters.rotation_degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    x_scale, y_scale = _scales(parameters)
    linear = turn @ np.diag([x_scale, y_scale])
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    shift = np.array([parameters.shift_x * width, parameters.shift_y * height])
    return np.column_stack([linear, middle + shift - linear @ middle]).astype(np.float32)


def framed_pixel_mm(pixel_mm: float, parameters: FramingParameters | None) -> float:
    """Pixel pitch after framing; the geometric mean of both axes where they differ."""
    return pixel_mm if parameters is None else pixel_mm / parameters.zoom


def _scales(parameters: FramingParameters) -> tuple[float, float]:
    root = float(np.sqrt(parameters.stretch))
    return parameters.zoom / root, parameters.zoom * root
