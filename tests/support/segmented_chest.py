"""A chest whose lungs are two ellipsoids, with its true prediction."""

from dataclasses import dataclass

import numpy as np

from dfsynth.lung_segmentation.network import LungPrediction
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
    """A radiograph with its true prediction."""

    image: Float32Map
    prediction: LungPrediction


def chest_with_heart() -> Chest:
    """The lower inner part of the left lung, on the right of the image, is behind the heart."""
    lungs = dome(60, 38, 45, 22) + dome(60, 90, 45, 22)
    heart = dome(80, 70, 20, 20) > 0
    field = ((lungs > 0) & ~heart).astype(np.float32)
    any_lung = (lungs > 0).astype(np.float32)
    image = np.where(heart, 0.85, 0.75 - 0.4 * lungs).astype(np.float32)
    return Chest(image, LungPrediction(field, any_lung, 150 * lungs))
