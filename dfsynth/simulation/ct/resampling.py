"""A CT volume in cubes of one size: finer in steps than its slices, coarser than its pixels."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.volume import CtVolume

FINEST_STEP_MM = 1.5
COARSEST_STEP_MM = 2.0
"""The cubes' edge: the pixel of the volume, held between these [assumed]. Finer cubes take
memory that a projection through 250 mm of body does not repay; coarser ones blur vessels."""


@dataclass(frozen=True, slots=True)
class Cubes:
    """Hounsfield units in cubes, in the axes of `CtVolume`."""

    hu: Float32Map
    """(planes, rows, columns): to the front, to the feet, to the left."""
    step_mm: float


def cut_into_cubes(volume: CtVolume) -> Cubes:
    """Resamples `volume` with one step along its three axes.

    Between coarse slices values follow a cubic (Keys 1981), which passes through every slice and
    adds no detail; fine pixels are averaged under a triangle as wide as two steps.
    """
    pixel_mm = max(volume.spacing_mm[0], volume.spacing_mm[2])
    step_mm = min(max(pixel_mm, FINEST_STEP_MM), COARSEST_STEP_MM)
    values = volume.hu.astype(np.float32)
    # The axis that shrinks most goes first.
    for axis in sorted(range(3), key=lambda a: volume.spacing_mm[a]):
        weights = resampling_weights(values.shape[axis], volume.spacing_mm[axis], step_mm)
        values = np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
    return Cubes(np.ascontiguousarray(np.clip(values, -1024, 3071), np.float32), step_mm)


def resampling_weights(samples: int, spacing_mm: float, step_mm: float) -> NDArray[np.float32]:
    """How each new sample weighs the old ones along one axis, (new, old); rows sum to 1."""
    length_mm = samples * spacing_mm
    count = max(1, math.floor(length_mm / step_mm + 0.5))
    # New centres lie symmetrically about the old line's middle.
    offset_mm = (np.arange(count) - (count - 1) / 2) * step_mm
    centre = offset_mm / spacing_mm + (samples - 1) / 2
    distance = centre[:, None] - np.arange(samples)[None, :]
    widen = step_mm / spacing_mm
    weights = np.maximum(1 - np.abs(distance / widen), 0) if widen > 1.01 else _cubic(distance)
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights / total, np.float32)


def _cubic(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    """Keys' kernel with a = −0.5."""
    d = np.abs(distance)
    near = (1.5 * d - 2.5) * d**2 + 1
    far = ((-0.5 * d + 2.5) * d - 4) * d + 2
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))
