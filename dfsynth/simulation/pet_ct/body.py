"""Where the body is in CT and in PET, and how well both agree."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter, label, mean

from dfsynth.records import Float32Map
from dfsynth.simulation.ct.morphology import Mask, components, filled

_BODY_HU: Final = -300
_OUTSIDE_HU: Final = -940.0
"""Mean of what may be air beside the body rather than a lung that the field of view cuts."""
_TABLE_MM: Final = 3.0
"""What is thinner than twice this is first left out: the shells of a table, sheets, tubes."""
_LEAST_PART: Final = 0.05
"""Of the largest part; smaller ones are no limbs."""
_BODY_OF_MEDIAN: Final = 0.35
"""SUV at the body's edge over the median inside it: midway for a corrected PET, and below its
bright skin for an uncorrected one."""


def find_body(hu: NDArray[np.number], pixel_mm: float) -> Mask:
    """The body in HU (planes, rows, columns) with all that it encloses in transverse planes.

    A lung that one side of the field of view cuts counts as enclosed, by its HU.
    """
    radius = round(_TABLE_MM / pixel_mm)
    dense = (hu > _BODY_HU).astype(np.uint8)
    opened = _each(cv2.MORPH_OPEN, dense, radius) > 0
    labels, sizes = components(opened)
    kept = (sizes >= max(_LEAST_PART * sizes.max(), 1))[labels]
    # Walls too thin for the opening close what they enclose.
    near = _each(cv2.MORPH_DILATE, kept.astype(np.uint8), 3 * radius + 1) & dense
    whole = np.stack([_enclosed(*plane) for plane in zip(near > 0, hu, strict=True)])
    return _each(cv2.MORPH_OPEN, whole.astype(np.uint8), radius) > 0


def _each(operation: int, planes: NDArray[np.uint8], radius: int) -> NDArray[np.uint8]:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return np.stack([cv2.morphologyEx(plane, operation, element) for plane in planes])


def _enclosed(tissue: Mask, hu: NDArray[np.number]) -> Mask:
    """`tissue` (rows, columns) filled, of what one side of the image cuts only where lung is."""
    found = binary_fill_holes(tissue)
    for turns in range(4):
        closed = np.pad(np.rot90(tissue, turns), ((1, 0), (0, 0)), constant_values=True)
        whole = np.rot90(binary_fill_holes(closed)[1:], -turns)
        more, count = label(whole & ~found)
        means = np.atleast_1d(mean(hu, more, np.arange(1, count + 1)))
        lungs = [number + 1 for number in range(count) if means[number] > _OUTSIDE_HU]
        found = found | np.isin(more, lungs)
    return found


def body_overlap(pet: Float32Map, body: Mask, seen: Mask) -> float:
    """Dice's overlap, 0 to 1, of the body in a PET with `body`, all (planes, rows, columns).

    Only voxels of `seen` count. The PET's body is where it reaches 0.35 of its median within
    `body`, and what that encloses: tracer or not, a body is filled.
    """
    inside = pet[body & seen]
    median = float(np.median(inside)) if inside.size else 0.0
    if median <= 0:
        return 0.0
    smooth = gaussian_filter(pet, 1.0)
    own = filled(smooth > _BODY_OF_MEDIAN * median, axis=0) & seen
    return float(2 * (own & body).sum() / (own.sum() + (body & seen).sum()))
