"""Line integrals of a slice along the lines of response of a ring of detectors, and the way back.

Ordered subsets need single views and the exact transpose of the projector, which that of dark-field
CT has not; as a sparse matrix both are one product each.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from dfsynth.records import Float32Map

SUBSETS: Final = 10
VIEWS: Final = 120
"""Over half a turn; those of a subset are spread over it evenly."""


@dataclass(frozen=True, slots=True, eq=False)
class LineProjector:
    """Parallel lines of response through a square slice, a pixel apart."""

    side: int
    """Of the slice, in pixels."""
    bins: int
    """Lines of a view: the diagonal of the slice fits between the outer ones."""
    subsets: tuple[sparse.csr_array, ...]
    """(views of a subset × bins, side × side) each: lengths in pixels of lines in pixels."""

    def project(self, image: Float32Map, pixel_mm: float) -> NDArray[np.float32]:
        """Line integrals (subsets, views × bins) of `image` (y, x), in mm times its unit."""
        flat = np.ascontiguousarray(image, np.float32).ravel()
        return np.stack([subset @ flat for subset in self.subsets]) * np.float32(pixel_mm)


@cache
def line_projector(side: int) -> LineProjector:
    """The projector for slices of `side` × `side` pixels; it is kept, 45 MB of it at 160."""
    bins = math.ceil(side * math.sqrt(2)) + 1
    angles = np.arange(VIEWS) * (math.pi / VIEWS)
    subsets = tuple(
        sparse.vstack([_view(side, bins, a) for a in angles[first::SUBSETS]], format="csr")
        for first in range(SUBSETS)
    )
    return LineProjector(side, bins, subsets)


def _view(side: int, bins: int, angle: float) -> sparse.coo_array:
    """One view by Joseph's method (IEEE Trans. Med. Imaging 1 (1982) 192).

    The line at `s` is the points s (cos, sin) + t (-sin, cos). It is sampled where it crosses the
    middles of the rows or the columns, whichever it crosses more steeply, and what lies there is
    interpolated between the two nearest pixels.
    """
    cos, sin = math.cos(angle), math.sin(angle)
    by_rows = abs(cos) >= abs(sin)
    steep, flat = (cos, sin) if by_rows else (sin, cos)
    middle = (side - 1) / 2
    line = np.arange(bins) - (bins - 1) / 2
    steps = np.arange(side)
    place = (line[:, None] - (steps - middle) * flat) / steep + middle
    low = np.floor(place).astype(np.int64)
    share = place - low
    rows = np.broadcast_to(np.arange(bins)[:, None], place.shape)
    across = np.broadcast_to(steps, place.shape)
    found = []
    for pixel, weight in ((low, 1 - share), (low + 1, share)):
        inside = (pixel >= 0) & (pixel < side) & (weight > 0)
        columns = across * side + pixel if by_rows else pixel * side + across
        found.append((weight[inside] / abs(steep), rows[inside], columns[inside]))
    values, at, of = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return sparse.coo_array(
        (values.astype(np.float32), (at.astype(np.int32), of.astype(np.int32))),
        shape=(bins, side * side),
    )
