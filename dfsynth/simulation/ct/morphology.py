"""Masks in three dimensions: shapes by distance, connected parts, holes, and half the resolution.

Distances stand for large structuring elements (scikit-image's isotropic operators). A mask that is
empty, or all there is, stays as it is here: scikit-image grows a corner out of an empty one.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import block_reduce
from skimage.morphology import isotropic_dilation, isotropic_erosion

from dfsynth.records import Float32Map

Mask = NDArray[np.bool_]


def dilated(mask: Mask, radius: float) -> Mask:
    """`mask` (planes, rows, columns) and all within `radius` voxels of it."""
    if not mask.any():
        return mask.copy()
    return np.asarray(isotropic_dilation(mask, radius))  # type: ignore[no-untyped-call]


def eroded(mask: Mask, radius: float) -> Mask:
    """What of `mask` (planes, rows, columns) lies further than `radius` voxels from its outside.

    The border of the array is no outside.
    """
    if mask.all():
        return mask.copy()
    return np.asarray(isotropic_erosion(mask, radius))  # type: ignore[no-untyped-call]


def opened(mask: Mask, radius: float) -> Mask:
    """What of `mask` (planes, rows, columns) a ball of `radius` voxels inside it can reach."""
    return dilated(eroded(mask, radius), radius) & mask


def closed(mask: Mask, radius: float) -> Mask:
    """`mask` (planes, rows, columns) and what no ball of `radius` voxels outside it can reach."""
    width = int(np.ceil(radius)) + 1
    framed = np.pad(mask, width)
    inner = (slice(width, -width),) * mask.ndim
    return np.asarray(eroded(dilated(framed, radius), radius)[inner] | mask)


def components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Labels of the parts of `mask` (planes, rows, columns) that touch by faces, and their sizes.

    Labels begin at 1; sizes in voxels are indexed by label, with 0 for what is in no part.
    """
    labels, count = ndimage.label(mask, output=np.int32)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return labels, sizes


def largest(mask: Mask) -> Mask:
    """The largest part of `mask` (planes, rows, columns)."""
    labels, sizes = components(mask)
    return labels == sizes.argmax() if sizes.any() else mask.copy()


def filled(mask: Mask, axis: int = 1) -> Mask:
    """`mask` (planes, rows, columns) with the holes filled of its slices across `axis`.

    Slices across axis 1 are axial ones.
    """
    slices = [ndimage.binary_fill_holes(section) for section in np.moveaxis(mask, axis, 0)]
    return np.moveaxis(np.stack(slices), 0, axis)


def enclosed(mask: Mask) -> Mask:
    """`mask` (planes, rows, columns) and what it surrounds in two of the three kinds of slices.

    A dome of the diaphragm is surrounded by lung in axial slices alone.
    """
    votes = sum(filled(mask, axis).astype(np.uint8) for axis in range(3))
    return np.asarray(mask | (votes >= 2))


def convex_hull(section: Mask) -> Mask:
    """The convex hull of a slice (y, x); nothing where it has fewer than three points."""
    points = np.argwhere(section)[:, ::-1].astype(np.int32)
    canvas = np.zeros(section.shape, np.uint8)
    if len(points) > 2:
        cv2.fillConvexPoly(canvas, cv2.convexHull(points), 1)
    return canvas > 0


def halved(values: Float32Map) -> Float32Map:
    """Means of `values` (planes, rows, columns) over 2 × 2 × 2 voxels.

    An odd last plane, row or column stands for two.
    """
    padded = np.pad(values, [(0, n % 2) for n in values.shape], mode="edge")
    means = block_reduce(padded, 2, np.mean)  # type: ignore[no-untyped-call]
    return np.asarray(means, np.float32)


def doubled(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The inverse of `halved` for a mask (planes, rows, columns), cut to `shape`."""
    fine = mask.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    return fine[: shape[0], : shape[1], : shape[2]]
