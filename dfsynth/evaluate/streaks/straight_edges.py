"""Straight parts of the lung's edge, found in the truth: where resolution can be measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

Array = NDArray[np.float64]

HALF_LENGTH_PX: Final = 8.0
"""Half of what is used along an edge."""
HALF_WIDTH_PX: Final = 12.0
"""Half of what is used across it: room for a blur of up to 12 pixels full width."""
MOST_EDGES: Final = 12
"""Of a slice; pooled, they beat down noise and cover all phases of the pixel grid."""
_NEAR_EDGE_PX: Final = 1.5
"""Within it of the line, truth and mask may be on either side: pixels are partly filled."""
_MOST_UNEVEN: Final = 0.25
_LEAST_SLANT: Final = float(np.sin(np.radians(2.0)))
"""An edge along the rows or columns meets pixels at one phase only."""
_MOST_CANDIDATES: Final = 500


@dataclass(frozen=True, slots=True)
class StraightEdge:
    """A straight piece of the lung's edge; pixel (0, 0) has its centre at 0, 0."""

    centre: tuple[float, float]
    """y and x of a point on the edge, in pixels."""
    normal: tuple[float, float]
    """y and x of the unit vector across the edge, towards the lung."""
    low: float
    """Mean of the truth on the side away from the lung, in its unit."""
    high: float
    """Mean of the truth on the side of the lung, in its unit."""
    unevenness: float
    """Root mean square of the truth about both means, as a share of their difference."""

    def box(self, shape: tuple[int, ...]) -> tuple[NDArray[np.bool_], Array]:
        """Which pixels (y, x) are used, and the distance in pixels of all (y, x), lung positive."""
        (y, x), (across_y, across_x) = self.centre, self.normal
        down, right = np.arange(shape[0])[:, None] - y, np.arange(shape[1])[None, :] - x
        distance = down * across_y + right * across_x
        along = right * across_y - down * across_x
        used = (np.abs(distance) <= HALF_WIDTH_PX) & (np.abs(along) <= HALF_LENGTH_PX)
        return used, distance


def find_straight_edges(
    truth: NDArray[np.floating], lung_mask: NDArray[np.generic]
) -> tuple[StraightEdge, ...]:
    """Straight, slanted, even pieces of the lung's edge that do not overlap, the evenest first.

    Lines are fitted to the edge of the mask piece by piece, to a part of a pixel: the midpoints
    between neighbouring pixels on different sides lie about the true edge without bias. A piece
    counts where truth and mask are on their sides of it, and the truth on each is even to a
    quarter of the step (no vessel, rib or other edge in the way).

    Args:
        truth: (y, x), any unit.
        lung_mask: (y, x), not 0 in lung.

    Returns:
        At most `MOST_EDGES`.
    """
    lung = lung_mask != 0
    points = _edge_points(lung)
    if len(points) < 3:
        return ()
    tree = KDTree(points)
    candidates = points[:: len(points) // _MOST_CANDIDATES + 1]
    found = [
        edge
        for near in tree.query_ball_point(candidates, HALF_LENGTH_PX)
        if len(near) >= HALF_LENGTH_PX
        and (edge := _measure_line(points[near], truth, lung)) is not None
    ]
    return _apart(sorted(found, key=lambda edge: (edge.unevenness, edge.centre)))


def _edge_points(lung: NDArray[np.bool_]) -> Array:
    """(n, 2), y and x of the midpoints between neighbours of which one is lung."""
    down = np.argwhere(lung[1:] != lung[:-1]) + np.array([0.5, 0.0])
    right = np.argwhere(lung[:, 1:] != lung[:, :-1]) + np.array([0.0, 0.5])
    return np.concatenate([down, right])


def _measure_line(
    points: Array, truth: NDArray[np.floating], lung: NDArray[np.bool_]
) -> StraightEdge | None:
    """The line through edge points (n, 2); None where it is no straight, slanted, even edge."""
    centre = points.mean(axis=0)
    normal = np.linalg.eigh(np.cov((points - centre).T))[1][:, 0]
    margin = HALF_LENGTH_PX + HALF_WIDTH_PX
    inside = (centre > margin) & (centre < np.array(lung.shape) - 1 - margin)
    if np.abs(normal).min() < _LEAST_SLANT or not inside.all():
        return None
    corner = np.floor(centre - margin).astype(int)
    window = tuple(slice(start, start + 2 * int(margin) + 2) for start in corner)
    return _measure_sides(centre, normal, corner, truth[window], lung[window])


def _measure_sides(
    centre: Array,
    normal: Array,
    corner: NDArray[np.intp],
    truth: NDArray[np.floating],
    lung: NDArray[np.bool_],
) -> StraightEdge | None:
    """The edge as it lies in the windows (y, x) of truth and mask, which begin at `corner`."""
    local = StraightEdge(_pair(centre - corner), _pair(normal), 0.0, 0.0, 0.0)
    used, distance = local.box(lung.shape)
    if np.corrcoef(distance[used], lung[used])[0, 1] < 0:
        normal, distance = -normal, -distance
    clear = used & (np.abs(distance) > _NEAR_EDGE_PX)
    if ((distance > 0) != lung)[clear].any():
        return None
    low, high = (float(truth[clear & side].mean()) for side in (~lung, lung))
    spread = float(np.sqrt(np.square(truth - np.where(lung, high, low))[clear].mean()))
    if high <= low or spread > _MOST_UNEVEN * (high - low):
        return None
    return StraightEdge(_pair(centre), _pair(normal), low, high, spread / (high - low))


def _pair(vector: Array) -> tuple[float, float]:
    return float(vector[0]), float(vector[1])


def _apart(edges: Sequence[StraightEdge]) -> tuple[StraightEdge, ...]:
    """The first ones whose pieces along the edge do not overlap."""
    chosen: list[StraightEdge] = []
    for edge in edges:
        if len(chosen) < MOST_EDGES and all(
            np.hypot(*np.subtract(edge.centre, other.centre)) >= 2 * HALF_LENGTH_PX
            for other in chosen
        ):
            chosen.append(edge)
    return tuple(chosen)
