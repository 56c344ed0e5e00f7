"""Shapes of masks in three dimensions, by distances instead of large structuring elements."""

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.extras import load_extra

Mask = NDArray[np.bool_]


def dilated(mask: Mask, radius: float) -> Mask:
    """`mask` and all within `radius` voxels of it."""
    if not mask.any():
        return mask.copy()
    ndimage = load_extra("scipy.ndimage")
    return np.asarray(ndimage.distance_transform_edt(~mask) <= radius)


def eroded(mask: Mask, radius: float) -> Mask:
    """What of `mask` lies further than `radius` voxels from its outside; the border is no edge."""
    if mask.all():
        return mask.copy()
    ndimage = load_extra("scipy.ndimage")
    return np.asarray(ndimage.distance_transform_edt(mask) > radius)


def opened(mask: Mask, radius: float) -> Mask:
    """What of `mask` a ball of `radius` voxels inside it can reach."""
    return dilated(eroded(mask, radius), radius) & mask


def closed(mask: Mask, radius: float) -> Mask:
    """`mask` and what no ball of `radius` voxels outside it can reach."""
    width = int(np.ceil(radius)) + 1
    framed = np.pad(mask, width)
    inner = (slice(width, -width),) * mask.ndim
    return np.asarray(eroded(dilated(framed, radius), radius)[inner] | mask)


def components(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Labels from 1 of the parts of `mask` that touch by faces, and the sizes from label 0 on."""
    labels, count = load_extra("scipy.ndimage").label(mask, output=np.int32)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    return labels, sizes


def largest(mask: Mask) -> Mask:
    """The largest part of `mask`."""
    labels, sizes = components(mask)
    return labels == sizes.argmax() if sizes.any() else mask.copy()


def filled(mask: Mask, axis: int = 1) -> Mask:
    """`mask` with the holes filled of each of its slices across `axis` (1: axial slices)."""
    fill = load_extra("scipy.ndimage").binary_fill_holes
    slices = [fill(section) for section in np.moveaxis(mask, axis, 0)]
    return np.moveaxis(np.stack(slices), 0, axis)


def enclosed(mask: Mask) -> Mask:
    """`mask` and what it surrounds in at least two of the three kinds of slices.

    A dome of the diaphragm is surrounded by lung in axial slices alone.
    """
    votes = sum(filled(mask, axis).astype(np.uint8) for axis in range(3))
    return np.asarray(mask | (votes >= 2))


def halved(values: Float32Map) -> Float32Map:
    """Means over 2 × 2 × 2 voxels; an odd last plane, row or column stands for two."""
    padded = np.pad(values, [(0, n % 2) for n in values.shape], mode="edge")
    p, r, c = (n // 2 for n in padded.shape)
    blocks = padded.reshape(p, 2, r, 2, c, 2)
    return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float32)


def doubled(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """The inverse of `halved` for a mask, cut to `shape`."""
    fine = mask.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    return fine[: shape[0], : shape[1], : shape[2]]
