"""Detail that a scan's pixels and thick slices have smoothed away, as far as it can be known.

A CT voxel is a mean over its pixel, its slice and the reconstruction kernel; posing a volume
interpolates it once more. Each is nearly a Gaussian, so the sum of their variances is one. It is
undone by van Cittert's iteration (1931), u ← u + (f − G u), which keeps the mean, and after
a few steps amplifies noise little and adds nothing that the scan does not hold. What the limits of
that leave, in line integrals, where noise has been averaged away, one more step undoes.
"""

import cv2
import numpy as np
from scipy import ndimage

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.resampling import Cubes

_KERNEL_MM = 0.6
"""Sigma of a standard reconstruction kernel in the plane of a slice [assumed]."""
_STEPS = 5
_TISSUE_HU = 60.0
"""What a structure thinner than a cube may reach without being bone: blood."""
_CALCIFIED_HU = 150.0
_BONE_GAIN = 2.5
"""How far cortex thinner than a cube may rise over what the scan shows of it [assumed]."""
_MOST_HU = 1600.0
_PROJECTED_MM = 0.9
"""Sigma of what still blurs a projection: cubes, and their look-up in a pose [against edges
measured in archives]."""
_PROJECTED_GAIN = 1.5


def restore_detail(cubes: Cubes, spacing_mm: tuple[float, float, float]) -> Cubes:
    """`cubes` without the blur of a scan whose voxels were `spacing_mm` (planes, rows, columns).

    No overshoot: a cube stays above the lowest value next to it and, unless bone is near, below
    the highest one or blood, whichever is more; a border of lung gets steep and rings nowhere.
    """
    step = cubes.step_mm
    sigmas = [
        np.sqrt(width**2 / 12 + step**2 / 6 + (0 if axis == 1 else _KERNEL_MM**2)) / step
        for axis, width in enumerate(spacing_mm)
    ]
    low = ndimage.minimum_filter(cubes.hu, 3)
    ceiling = _ceiling(ndimage.maximum_filter(cubes.hu, 3))
    sharp = cubes.hu
    # Limited in every step, so that the next one gives back the mass that a limit took.
    for _ in range(_STEPS):
        lacking = cubes.hu - ndimage.gaussian_filter(sharp, sigmas, truncate=3)
        sharp = np.clip(sharp + lacking, low, ceiling)
    return Cubes(np.asarray(sharp, np.float32), step)


def _ceiling(high: Float32Map) -> Float32Map:
    """The most that a cube may hold whose neighbours reach `high`."""
    over = np.maximum(high - _CALCIFIED_HU, 0) * (_BONE_GAIN - 1)
    ceiling = np.maximum(np.maximum(high, _TISSUE_HU), np.minimum(high + over, _MOST_HU))
    return np.asarray(ceiling, np.float32)


def sharpen_projection(line_mm: Float32Map, pixel_mm: float) -> Float32Map:
    """Line integrals (y, x) in mm through a posed volume, ≥ 0, with the detail of a radiograph."""
    sigma_px = _PROJECTED_MM / pixel_mm
    smooth = cv2.GaussianBlur(line_mm, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT)
    sharp = line_mm + np.float32(_PROJECTED_GAIN) * (line_mm - smooth)
    return np.asarray(np.maximum(sharp, 0), np.float32)
