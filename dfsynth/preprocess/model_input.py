"""One decoded image → one model input."""

import numpy as np

from dfsynth.preprocess.geometry import letterbox, to_grid
from dfsynth.preprocess.intensity import (
    intensity_flags,
    range_in_use,
    to_unit_range,
    window_ends,
)
from dfsynth.records import DecodedImage, Intensity, ModelInput


def prepare(image: DecodedImage, grid: tuple[int, int], intensity: Intensity) -> ModelInput:
    """Letterboxes an image into `grid` (height, width) and maps its values as `intensity` says."""
    height, width = image.pixels.shape
    geometry = letterbox((height, width), grid)
    content = to_grid(image.pixels, geometry)
    padded = np.zeros(grid, np.float32)
    ends = window_ends(content, intensity)
    padded[geometry.content] = to_unit_range(content, intensity, ends)
    return ModelInput(
        image=padded,
        geometry=geometry,
        pixel_mm=image.pixel_mm,
        flags=intensity_flags(content, intensity, *range_in_use(image), ends),
    )
