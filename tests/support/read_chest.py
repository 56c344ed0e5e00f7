"""A chest whose lungs are two ellipsoids, with its true reading."""

from dataclasses import dataclass

import numpy as np

from dfsynth.lung_segmentation.network import LungReading
from dfsynth.records import Float32Map

SIDE = 128
WHOLE = (slice(0, SIDE), slice(0, SIDE))
Y, X = (np.mgrid[:SIDE, :SIDE] + 0.5).astype(np.float32)


def dome(cy: float, cx: float, ry: float, rx: float) -> Float32Map:
    """sqrt(1 − r²) inside an ellipse, 0 outside."""
    square = 1 - ((Y - cy) / ry) ** 2 - ((X - cx) / rx) ** 2
    return np.sqrt(np.maximum(square, 0)).astype(np.float32)


@dataclass(frozen=True)
class Chest:
    """A radiograph with its true reading."""

    image: Float32Map
    reading: LungReading
