"""Random changes of position and appearance for training a lung segmentation network.

All are drawn from a generator that the caller passes in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

_LETTERS = "LRPAERECT0123456789"


@dataclass(frozen=True, slots=True)
class LungAugmentation:
    """Ranges of what is drawn; the radiograph and its truth move together."""

    rotation_deg: float = 10.0
    scale: tuple[float, float] = (0.82, 1.2)
    aspect: tuple[float, float] = (0.88, 1.14)
    shift: float = 0.07
    """Share of the image's side."""
    flip: bool = True
    log_gamma_sd: float = 0.3
    noise_sd: float = 0.02
    sharpen: tuple[float, float] = (-0.6, 1.0)
    """Amount of unsharp masking; negative blurs."""
    border_share: float = 0.35
    """Share of the images with a collimation border."""
    marks_share: float = 0.5
    """Share of the images with burned-in letters, cables and metal."""
    gas_share: float = 0.0
    """Share of the images with dark gas outside the lungs (stomach, gap below the arm), which
    has no dark-field signal."""


def draw_affine(
    augmentation: LungAugmentation, side: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draws a (2, 3) matrix for `cv2.warpAffine` about the middle of an image (side, side)."""
    angle = np.deg2rad(rng.uniform(-augmentation.rotation_deg, augmentation.rotation_deg))
    scale = rng.uniform(*augmentation.scale)
    aspect = rng.uniform(*augmentation.aspect) ** 0.5
    mirror = -1.0 if augmentation.flip and rng.random() < 0.5 else 1.0
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.diag([mirror * scale * aspect, scale / aspect])
    centre = np.full(2, (side - 1) / 2)
    shift = rng.uniform(-augmentation.shift, augmentation.shift, 2) * side
    return np.hstack([linear, (centre - linear @ centre + shift)[:, None]])


def warp(maps: Sequence[Float32Map], matrix: NDArray[np.float64]) -> list[Float32Map]:
    """Resamples each map (y, x) bilinearly by one matrix (2, 3); what enters from outside is 0."""
    height, width = maps[0].shape
    return [
        np.asarray(cv2.warpAffine(m, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)
        for m in maps
    ]


def randomise_appearance(
    image: Float32Map, augmentation: LungAugmentation, rng: np.random.Generator
) -> Float32Map:
    """Gives `image` (y, x) in [0, 1] the appearance of another machine and archive.

    Tone curve, sharpness, noise, markers and collimation border; shape and range stay.
    """
    changed = image ** np.float32(np.exp(rng.normal(0, augmentation.log_gamma_sd)))
    amount = np.float32(rng.uniform(*augmentation.sharpen))
    blurred = cv2.GaussianBlur(changed, (0, 0), rng.uniform(0.8, 6.0))
    changed = changed + amount * (changed - blurred)
    changed = changed + rng.standard_normal(changed.shape, np.float32) * np.float32(
        rng.uniform(0, augmentation.noise_sd)
    )
    if rng.random() < augmentation.marks_share:
        changed = _draw_marks(changed, rng)
    if rng.random() < augmentation.border_share:
        changed = _draw_border(changed, rng)
    return np.clip(changed, 0, 1).astype(np.float32)


def add_gas(image: Float32Map, lung: Float32Map, rng: np.random.Generator) -> Float32Map:
    """Draws one to three dark, soft-edged bodies outside `lung` (y, x) in `image` (y, x) in [0, 1].

    Gas in the bowel and air between arm and chest look like lung to a network that has only seen
    lung as dark; they have no dark-field signal.
    """
    side = image.shape[1]
    shade = np.zeros(image.shape, np.float32)
    for _ in range(rng.integers(1, 4)):
        centre = tuple(int(v) for v in rng.uniform(0.02, 0.98, 2) * side)
        axes = tuple(int(v) for v in rng.uniform(0.03, 0.16, 2) * side)
        depth = float(rng.uniform(0.4, 0.95))
        cv2.ellipse(shade, centre, axes, float(rng.uniform(0, 180)), 0, 360, depth, -1)
    soft = cv2.GaussianBlur(shade, (0, 0), float(rng.uniform(0.5, 3.0)))
    inside = cv2.GaussianBlur((lung > 0).astype(np.float32), (0, 0), 1.5)
    return np.asarray(image * (1 - soft * (1 - inside)), np.float32)


def _draw_marks(image: Float32Map, rng: np.random.Generator) -> Float32Map:
    """Burned-in letters, cables and metal: bright on the radiograph, absent from the truth."""
    side = image.shape[1]
    marks = np.zeros(image.shape, np.uint8)

    def grey(low: float) -> float:
        return float(255 * rng.uniform(low, 1.0))

    for _ in range(rng.integers(1, 3)):
        text = "".join(rng.choice(list(_LETTERS), rng.integers(1, 6)))
        at = (int(rng.uniform(0, 0.9) * side), int(rng.uniform(0.05, 1.0) * side))
        size = float(rng.uniform(0.25, 0.7) * side / 256)
        cv2.putText(marks, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, grey(0.7), 1)
    for _ in range(rng.integers(0, 4)):
        points = rng.uniform(0, side, (3, 2))
        t = np.linspace(0, 1, 24)[:, None]
        curve = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
        cv2.polylines(marks, [curve.astype(np.int32)], False, grey(0.6), int(rng.integers(1, 3)))
    if rng.random() < 0.3:
        centre = tuple(int(v) for v in rng.uniform(0.2, 0.8, 2) * side)
        axes = tuple(int(v) for v in rng.uniform(0.02, 0.06, 2) * side)
        cv2.ellipse(marks, centre, axes, rng.uniform(0, 180), 0, 360, grey(0.8), -1)
    return np.maximum(image, marks.astype(np.float32) / np.float32(255))


def _draw_border(image: Float32Map, rng: np.random.Generator) -> Float32Map:
    """Collimation: up to a twelfth of each side in black or, rarely, white."""
    side = image.shape[1]
    top, bottom, left, right = rng.integers(0, side // 12 + 1, 4)
    level = 1.0 if rng.random() < 0.2 else 0.0
    framed = np.full_like(image, level)
    inner = (slice(top, image.shape[0] - bottom), slice(left, side - right))
    framed[inner] = image[inner]
    return framed
