"""Lung thickness along the beam, estimated from one radiograph and its lung outline.

A projection does not hold the thickness; what it holds is the outline and how dark the lung is.
Where a body is an ellipsoid, sqrt(u) with ∇²u = −1 inside its shadow and u = 0 on the rim is
proportional to the thickness, exactly. Lungs are not ellipsoids, but the same rule gives a
smooth dome that falls to zero along the outer chest wall and fills both lobes in proportion to
their width.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map

_SOLVER_SIDE = 64
_SOLVER_STEPS = 600
_HIDDEN_SHARE = 0.45
"""Thickness of the lung behind the heart and below the domes, over that of a free lung [assumed].
The posterior recesses reach below the domes, and the lower lobes lie behind the heart."""
_OPACITY_RATE = 1.6
_OPACITY_RANGE = (-0.12, 0.8)
"""Brightness over what the thickness explains, in units of the step from lung to soft tissue."""


@dataclass(frozen=True, slots=True)
class LungShape:
    """Where lung is and how much of it, all (y, x) and free of absolute scale."""

    relative_thickness: Float32Map
    """Thickness over its mean in the lung region, ≥ 0; zero outside the lung."""
    aeration: Float32Map
    """About 1 in healthy lung, towards 0.3 in opacities, up to 1.2 in the darkest lung."""
    hidden: NDArray[np.bool_]
    """Lung behind the heart and below the domes, which people leave out when they draw lungs."""


def lung_shape(image: Float32Map, lung: NDArray[np.bool_]) -> LungShape:
    """The shape of the lungs in `image` (y, x) in [0, 1], dense bright, with outline `lung`.

    Raises:
        ValueError: the outline is empty or has another shape than the image.
    """
    if image.shape != lung.shape or not lung.any():
        raise ValueError(
            f"expected a lung outline of shape {image.shape} with some lung, found "
            f"{lung.shape} with {int(lung.sum())} pixels"
        )
    hidden = _hidden_lung(lung)
    region = lung | hidden
    dome = np.sqrt(_torsion(region))
    share = cv2.GaussianBlur(
        np.where(hidden, np.float32(_HIDDEN_SHARE), np.float32(1.0)), (0, 0), lung.shape[1] / 64
    )
    thickness = np.where(region, dome * share, 0).astype(np.float32)
    thickness /= max(float(thickness[lung].mean()), 1e-6)
    return LungShape(thickness, _aeration(image, lung, thickness), hidden)


def _hidden_lung(lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Lung that the heart and the domes of the diaphragm cover, by the outline's shape."""
    side = lung.shape[1]
    mask = lung.astype(np.uint8)
    # Behind the heart: what closes the notch of each lung, lower half of the chest only.
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (side // 8) + 1,) * 2)
    pad = side // 4
    framed = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    notch = cv2.morphologyEx(framed, cv2.MORPH_CLOSE, disk)[pad:-pad, pad:-pad] > 0
    rows = np.flatnonzero(lung.any(axis=1))
    notch[: int(rows[0] + 0.35 * (rows[-1] - rows[0]))] = False
    # Below the domes: the outline carried down, narrowing to where the recess ends.
    depth = max(1, round(0.10 * (rows[-1] - rows[0])))
    recess = np.zeros_like(lung)
    for step in range(1, depth + 1):
        shifted = np.zeros_like(lung)
        shifted[step:] = lung[:-step]
        recess |= shifted
    below = np.maximum.accumulate(lung, axis=0)
    return ((notch & below) | (recess & below)) & ~lung


def _torsion(region: NDArray[np.bool_]) -> Float32Map:
    """u of ∇²u = −1 in `region` (y, x), 0 outside, in grid units; smooth at the grid's scale."""
    height, width = region.shape
    scale = _SOLVER_SIDE / max(height, width)
    size = (max(round(width * scale), 4), max(round(height * scale), 4))
    share = cv2.resize(region.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # Pixels that the rim crosses hold the part of the solution that lies inside.
    inside = np.pad(share, 1)
    u = np.zeros_like(inside)
    for _ in range(_SOLVER_STEPS):
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        u[1:-1, 1:-1] = inside[1:-1, 1:-1] * 0.25 * (around + 1.0)
    fine = cv2.resize(u[1:-1, 1:-1], (width, height), interpolation=cv2.INTER_CUBIC)
    return np.where(region, np.maximum(fine, 0), 0).astype(np.float32)


def _aeration(image: Float32Map, lung: NDArray[np.bool_], thickness: Float32Map) -> Float32Map:
    """How much air the lung holds for its thickness, by its large-scale brightness (y, x)."""
    blurred = _masked_blur(image, lung, image.shape[1] / 20)
    tissue = float(np.percentile(image[~lung], 80)) if (~lung).any() else 1.0
    slope, level = np.polyfit(thickness[lung], blurred[lung], 1)
    step = max(tissue - float(np.median(blurred[lung])), 0.15)
    # Thicker lung displaces more tissue and is darker; a positive slope is not the lung's doing.
    expected = level + min(float(slope), 0.0) * thickness
    expected += float(np.median(blurred[lung] - expected[lung]))
    opacity = np.clip((blurred - expected) / step, *_OPACITY_RANGE)
    return np.exp(-_OPACITY_RATE * opacity).astype(np.float32)


def _masked_blur(image: Float32Map, mask: NDArray[np.bool_], sigma: float) -> Float32Map:
    """Gaussian mean of `image` over the pixels of `mask` only, extended beyond it."""
    weight = mask.astype(np.float32) + np.float32(1e-4)
    total = cv2.GaussianBlur(image * weight, (0, 0), sigma)
    return np.asarray(total / cv2.GaussianBlur(weight, (0, 0), sigma), np.float32)
