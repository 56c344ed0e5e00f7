"""Radiographs unlike those of the training: how archives and people change them.

Each kind changes the radiograph (y, x), float32 in [0, 1] with dense bright, and leaves the truth
where it is. Generators are trained on some of them, so that they see the lung through them; heads
for trust on others too, with the truth known.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from dfsynth.records import Float32Map

Appearance: TypeAlias = Callable[[Float32Map, Generator], Float32Map]
"""A radiograph and what chance decides → the changed radiograph, in [0, 1]."""

_LETTERS: Final = ("L", "R", "AP", "PA", "ERECT", "SUPINE", "MOBILE")


def hard_window(image: Float32Map, rng: Generator) -> Float32Map:
    """Grey values of an image (y, x) cut off at both ends, as by a viewer set to bone or lung."""
    low, high = np.quantile(image, [rng.uniform(0.02, 0.3), rng.uniform(0.6, 0.98)])
    return _unit((image - low) / max(high - low, 0.05))


def gamma(image: Float32Map, rng: Generator) -> Float32Map:
    """A power, far from 1, of the grey values of an image (y, x)."""
    exponent = np.exp(rng.choice([-1, 1]) * rng.uniform(0.4, 1.1))
    return _unit(image**exponent)


def local_equalisation(image: Float32Map, rng: Generator) -> Float32Map:
    """Contrast of an image (y, x) evened out over some centimetres, partly or wholly."""
    sigma = image.shape[0] * float(np.exp(rng.uniform(np.log(0.02), np.log(0.12))))
    mean = _smooth(image, sigma)
    deviation = np.sqrt(_smooth(np.square(image - mean), sigma))
    even = 0.5 + 0.2 * (image - mean) / (deviation + 0.03)
    share = rng.uniform(0.4, 1)
    return _unit(image + share * (even - image))


def blur(image: Float32Map, rng: Generator) -> Float32Map:
    """Motion or a coarse detector: a Gaussian of up to 1.6 % of the side of an image (y, x)."""
    sigma = image.shape[0] * float(np.exp(rng.uniform(np.log(0.003), np.log(0.016))))
    return _unit(_smooth(image, sigma))


def noise(image: Float32Map, rng: Generator) -> Float32Map:
    """White noise of one strength everywhere in an image (y, x)."""
    strength = float(np.exp(rng.uniform(np.log(0.02), np.log(0.12))))
    return _unit(image + strength * rng.standard_normal(image.shape, np.float32))


def low_dose(image: Float32Map, rng: Generator) -> Float32Map:
    """Quantum noise in an image (y, x), strongest where least radiation arrives, correlated over a
    few pixels."""
    strength = float(np.exp(rng.uniform(np.log(0.05), np.log(0.25))))
    grain = _smooth(rng.standard_normal(image.shape, np.float32), 0.8)
    return _unit(image + strength * image * grain / max(float(grain.std()), 1e-6))


def overlay(image: Float32Map, rng: Generator) -> Float32Map:
    """Letters and an arrow burnt into an image (y, x), bright; what is brighter yet hides them."""
    side = min(image.shape)
    drawn = np.zeros(image.shape, np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        place, text = _place(image, rng), str(rng.choice(_LETTERS))
        size = side / 256 * float(rng.uniform(0.4, 1.4))
        cv2.putText(drawn, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, 255, _thickness(side, rng))
    if rng.random() < 0.5:
        ends = _place(image, rng), _place(image, rng)
        cv2.arrowedLine(drawn, *ends, 255, _thickness(side, rng))
    return _unit(np.maximum(image, drawn / 255 * rng.uniform(0.7, 1.0)))


def devices(image: Float32Map, rng: Generator) -> Float32Map:
    """Cables across the chest in an image (y, x), at times a pacemaker: dense, with sharp edges."""
    height, width = image.shape
    drawn = np.zeros(image.shape, np.uint8)
    for _ in range(int(rng.integers(1, 5))):
        along = np.linspace(0, 1, 40)[:, None]
        first, last = rng.uniform(0, 1, (2, 2))
        waves = np.sin(np.pi * along * rng.integers(1, 4))
        curve = first + (last - first) * along + rng.uniform(-0.15, 0.15, 2) * waves
        points = (curve * (width, height)).astype(np.int32)
        thickness = _thickness(min(height, width), rng)
        cv2.polylines(drawn, [points], False, 255, thickness, cv2.LINE_AA)
    if rng.random() < 0.5:
        centre = (int(width * rng.uniform(0.15, 0.85)), int(height * rng.uniform(0.15, 0.5)))
        radii = (int(width * rng.uniform(0.03, 0.06)), int(height * rng.uniform(0.02, 0.05)))
        angle = float(rng.uniform(0, 180))
        cv2.ellipse(drawn, centre, radii, angle, 0, 360, 255, -1, cv2.LINE_AA)
    return _unit(image + drawn / 255 * rng.uniform(0.4, 1.0) * (1 - image))


def gas(image: Float32Map, rng: Generator) -> Float32Map:
    """One or two soft ellipses of gas in the lower half of an image (y, x), as dark as lung."""
    return _soft_ellipses(image, rng, -1, (0.6, 0.98), (0.15, 0.85), (0.04, 0.14))


def arms(image: Float32Map, rng: Generator) -> Float32Map:
    """The gap beside an arm, soft and dark, along the left side; an arm, bright, along the right.

    The image is (y, x); flips of the augmentation bring either to either side.
    """
    changed = _soft_ellipses(image, rng, -1, (0.2, 0.9), (0.0, 0.12), (0.05, 0.3))
    return _soft_ellipses(changed, rng, 1, (0.2, 0.9), (0.88, 1.0), (0.05, 0.3))


APPEARANCES: Final[Mapping[str, Appearance]] = {
    "hard_window": hard_window,
    "gamma": gamma,
    "local_equalisation": local_equalisation,
    "blur": blur,
    "noise": noise,
    "low_dose": low_dose,
    "overlay": overlay,
    "devices": devices,
    "gas": gas,
    "arms": arms,
}
"""Kinds of change by name."""


def change_at_random(image: Float32Map, share: float, rng: Generator) -> Float32Map:
    """Changes an image (y, x) by one or two kinds of `APPEARANCES`, or not at all.

    Args:
        share: Of the images that are changed, in [0, 1].
    """
    if rng.random() >= share:
        return image
    for name in rng.choice(list(APPEARANCES), 1 + int(rng.random() < 0.3), replace=False):
        image = APPEARANCES[str(name)](image, rng)
    return image


def _soft_ellipses(
    image: Float32Map,
    rng: Generator,
    sign: int,
    down: tuple[float, float],
    right: tuple[float, float],
    radius: tuple[float, float],
) -> Float32Map:
    """Ellipses of random places and sizes, in sides of the image, darker (−1) or brighter (1)."""
    height, width = image.shape
    drawn = np.zeros_like(image)
    for _ in range(int(rng.integers(1, 3))):
        centre = (int(width * rng.uniform(*right)), int(height * rng.uniform(*down)))
        radii = (int(width * rng.uniform(*radius)) + 1, int(height * rng.uniform(*radius)) + 1)
        depth = float(rng.uniform(0.3, 0.9))
        cv2.ellipse(drawn, centre, radii, float(rng.uniform(0, 180)), 0, 360, depth, -1)
    drawn = _smooth(drawn, height * float(rng.uniform(0.005, 0.03)))
    return _unit(image * (1 - drawn) if sign < 0 else image + drawn * (1 - image))


def _smooth(image: Float32Map, sigma: float) -> Float32Map:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _place(image: Float32Map, rng: Generator) -> tuple[int, int]:
    height, width = image.shape
    return int(rng.uniform(0.02, 0.9) * width), int(rng.uniform(0.08, 0.98) * height)


def _thickness(side: int, rng: Generator) -> int:
    return max(round(side / 256 * float(rng.uniform(0.8, 3))), 1)


def _unit(image: NDArray[Any]) -> Float32Map:
    return np.clip(image, 0, 1).astype(np.float32)
