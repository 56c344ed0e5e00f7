"""Contrast and contrast-to-noise of nodules against the lung around them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

_GAP_PX: Final = 1.0
"""Pixels next to a nodule that are neither it nor its surroundings: both share them."""
_LEAST_WIDTH_PX: Final = 3.0
_FEWEST_INSIDE: Final = 4
_FEWEST_AROUND: Final = 12
"""Pixels without which a nodule is not measured."""


@dataclass(frozen=True, slots=True)
class NoduleSurroundings:
    """Where one nodule and the lung around it lie."""

    label: int
    inside: NDArray[np.bool_]
    """(y, x)"""
    ring: NDArray[np.bool_]
    """(y, x)"""

    @property
    def width_px(self) -> float:
        """Diameter of the disc of equal area."""
        return 2 * float(np.sqrt(np.count_nonzero(self.inside) / np.pi))


@dataclass(frozen=True, slots=True)
class NoduleContrast:
    """How one nodule stands out of one image."""

    contrast: float
    """Mean inside less mean of the ring, in the unit of the image."""
    cnr: float
    """`contrast` over the standard deviation of the ring, without unit; NaN where that is 0."""


def find_surroundings(
    labels: NDArray[np.number], lung: NDArray[np.bool_] | None
) -> Iterator[NoduleSurroundings]:
    """Every nodule that is large enough, with a ring around it, in the order of labels.

    The ring leaves a gap of one pixel and is as wide as the radius of the nodule, three pixels at
    least; it holds no other nodule and, where the lung is known, nothing but lung. A nodule of
    fewer than 4 pixels, or with fewer than 12 around it, such as one behind the heart, is left out.

    Args:
        labels: (y, x), k in the k-th nodule, else 0.
        lung: (y, x), True in the lung field; None where it is not known.
    """
    free = labels == 0 if lung is None else (labels == 0) & lung
    for label in np.unique(labels[labels > 0]):
        inside = labels == label
        if np.count_nonzero(inside) < _FEWEST_INSIDE:
            continue
        radius = float(np.sqrt(np.count_nonzero(inside) / np.pi))
        away = ndimage.distance_transform_edt(~inside)
        ring = free & (away > _GAP_PX) & (away <= _GAP_PX + max(radius, _LEAST_WIDTH_PX))
        if np.count_nonzero(ring) >= _FEWEST_AROUND:
            yield NoduleSurroundings(int(label), inside, ring)


def nodule_contrast(image: NDArray[np.floating], nodule: NoduleSurroundings) -> NoduleContrast:
    """(mean inside - mean of the ring) / standard deviation of the ring, of an image (y, x).

    So the phantom of the American College of Radiology's CT accreditation has it for a disc and
    the plastic beside it; that the ring is lung around a nodule is ours. The deviation holds ribs
    and vessels beside noise, so that the ratio of the truth is finite. Smoothing raises the ratio:
    read it beside the contrast itself.
    """
    around = image[nodule.ring].astype(np.float64)
    contrast = float(image[nodule.inside].mean(dtype=np.float64) - around.mean())
    deviation = float(around.std())
    return NoduleContrast(contrast, contrast / deviation if deviation > 0 else float("nan"))


def nodule_contrasts(
    image: NDArray[np.floating],
    labels: NDArray[np.number],
    lung: NDArray[np.bool_] | None = None,
) -> dict[int, NoduleContrast]:
    """Label → contrast of every nodule of an image (y, x); see `find_surroundings`."""
    return {
        nodule.label: nodule_contrast(image, nodule) for nodule in find_surroundings(labels, lung)
    }
