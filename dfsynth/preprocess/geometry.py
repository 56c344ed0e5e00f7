"""The whole image letterboxed into a grid, and maps brought back to the image's pixels."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.decode.codecs import opencv_failures
from dfsynth.records import Float32Map, Geometry


def letterbox(source: tuple[int, int], grid: tuple[int, int]) -> Geometry:
    """Where an image of `source` (height, width) lies in a grid of (height, width).

    The image keeps its aspect ratio and fills the grid along one axis; the content has
    round(h · scale) × round(w · scale) pixels, at least one each, and the offsets are half the
    rest, floored.

    Raises:
        ValueError: a size under one pixel.
    """
    height, width = source
    grid_height, grid_width = grid
    if min(height, width, grid_height, grid_width) < 1:
        raise ValueError(f"sizes must be at least one pixel, got {source} into {grid}")
    scale = min(grid_height / height, grid_width / width)
    content_height = min(max(round(height * scale), 1), grid_height)
    content_width = min(max(round(width * scale), 1), grid_width)
    return Geometry(
        source_height=height,
        source_width=width,
        grid_height=grid_height,
        grid_width=grid_width,
        top=(grid_height - content_height) // 2,
        left=(grid_width - content_width) // 2,
        height=content_height,
        width=content_width,
    )


def to_grid(pixels: NDArray[np.generic], geometry: Geometry) -> Float32Map:
    """The image (y, x) resampled into the content box, (height, width) float32.

    Area averaging where the image shrinks, so that fine texture does not alias; bilinear where
    it grows, so that no value leaves the image's range.
    """
    target = (geometry.width, geometry.height)
    shrinks = geometry.height < geometry.source_height or geometry.width < geometry.source_width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # Averaging eight-bit values would round each grid pixel to a whole grey level.
    with opencv_failures():
        resized = cv2.resize(pixels.astype(np.float32, copy=False), target, interpolation=how)
    return np.asarray(resized, np.float32)


def to_source(grid_map: Float32Map, geometry: Geometry) -> Float32Map:
    """A map (y, x) of the grid resampled to the image's own pixels, padding left out."""
    content = np.ascontiguousarray(grid_map[geometry.content])
    target = (geometry.source_width, geometry.source_height)
    shrinks = geometry.height > geometry.source_height or geometry.width > geometry.source_width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(content, target, interpolation=how), np.float32)
