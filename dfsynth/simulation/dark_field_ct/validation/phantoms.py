"""Objects whose coefficients and extents are known: a disc, and two lungs in a body."""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from dfsynth.simulation.dark_field_ct.inserts import Insert, build_phantom
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject

FIELD_MM: Final = 420.0
LUNG_PER_M: Final = 2.5
_SOFT_TISSUE_PER_M: Final = 18.5
_LUNG_MU_PER_M: Final = 4.5
_EDGE_MM: Final = 15.0
"""What windows and filters blur at an edge."""
_LUNGS_MM: Final = ((-85.0, -5.0), (85.0, -5.0))
_HALF_LUNG_MM: Final = (62.0, 88.0)
_VESSELS_MM: Final = ((60, 0, 8), (75, 20, 6), (90, -30, 5), (70, -50, 4), (110, 40, 4))
"""x, y and radius in the left lung; mirrored in the right."""


def lungs_in_a_body(side: int, organs: bool) -> SliceObject:
    """Two even lungs of 2.5 1/m in a body of 35 × 23 cm; with organs, spine, heart and vessels.

    `lung_mask` is 1 in the lungs, without organs.
    """
    lungs = [_ellipse(centre, _HALF_LUNG_MM, _LUNG_MU_PER_M, LUNG_PER_M) for centre in _LUNGS_MM]
    inner = []
    if organs:
        inner = [_ellipse((0, 75), (18, 20), 35.0), _ellipse((15, -35), (45, 40), 19.0)]
        inner += [
            _ellipse((sign * x, y), (radius, radius), 19.0)
            for sign in (-1, 1)
            for x, y, radius in _VESSELS_MM
        ]
    body = _ellipse((0, 0), (175, 115), _SOFT_TISSUE_PER_M)
    phantom = build_phantom([body, *lungs, *inner], side, FIELD_MM / side)
    lung = phantom.dark_field_per_m == np.float32(LUNG_PER_M)
    return replace(phantom, lung_mask=lung.astype(np.uint8))


def disc_in_the_axis(side: int) -> SliceObject:
    """A disc of 2.5 1/m and 16 cm in one of soft tissue and 26 cm: the same from all sides."""
    host = _ellipse((0, 0), (130, 130), _SOFT_TISSUE_PER_M)
    scatters = _ellipse((0, 0), (80, 80), _SOFT_TISSUE_PER_M, LUNG_PER_M)
    phantom = build_phantom([host, scatters], side, FIELD_MM / side)
    inside = phantom.dark_field_per_m == np.float32(LUNG_PER_M)
    return replace(phantom, lung_mask=inside.astype(np.uint8))


def away_from_edges(mask: NDArray[np.uint8], pixel_mm: float) -> NDArray[np.bool_]:
    """Pixels (y, x) of a mask that lie 15 mm or more from its edge."""
    return np.asarray(distance_transform_edt(mask) * pixel_mm > _EDGE_MM)


def _ellipse(
    centre_mm: tuple[float, float],
    half_mm: tuple[float, float],
    mu_per_m: float,
    dark_field_per_m: float = 0.0,
) -> Insert:
    return Insert("water", "ellipse", centre_mm, half_mm, 0.0, mu_per_m, dark_field_per_m)
