"""Where contrast and edges of a slice are measured: one square of lung, one of air."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from dfsynth.statistics import largest_square

PAPER_SIDE: Final = 30
"""Pixels a side of the regions of Frey et al."""
LEAST_SIDE: Final = 4
"""Pixels a side below which variances say nothing."""
_RAYS: Final = 720
_STEP_PX: Final = 0.5


@dataclass(frozen=True, slots=True)
class Square:
    """A square region of an image (y, x), in whole pixels."""

    top: int
    left: int
    side: int

    def of(self, image: NDArray[np.floating]) -> NDArray[np.floating]:
        """The pixels (side, side) of an image (y, x)."""
        return image[self.top : self.top + self.side, self.left : self.left + self.side]

    @property
    def centre(self) -> tuple[float, float]:
        """y and x, where pixel (0, 0) has its centre at 0, 0."""
        half = (self.side - 1) / 2
        return self.top + half, self.left + half


@dataclass(frozen=True, slots=True)
class RegionPair:
    """A square of lung and one of air, of one side."""

    lung: Square
    air: Square


def choose_regions(
    lung_mask: NDArray[np.generic], air_mask: NDArray[np.generic], side: int = PAPER_SIDE
) -> RegionPair | None:
    """The most interior squares of lung and of air: the same ones in whatever is made of a slice.

    Frey et al. place squares of 30 × 30 pixels by hand. Here they follow from the masks alone: of
    all squares that lie wholly inside, the one whose pixels stay farthest from the mask's edge (of
    several the topmost, then the leftmost). Of air, squares that the lung's centre sees across one
    edge of the lung come first, since the edge-spread profile runs between both.

    Args:
        lung_mask: (y, x), not 0 in lung.
        air_mask: (y, x), not 0 in air outside the body.
        side: pixels wanted; where such squares do not fit, both have the largest side that does.

    Returns:
        The pair, or None where even `LEAST_SIDE` does not fit into one of the masks.
    """
    lung, air = lung_mask != 0, air_mask != 0
    side = min(side, largest_square(lung)[2], largest_square(air)[2])
    if side < LEAST_SIDE:
        return None
    chosen = _most_interior(_depths(lung, side), side)
    depths = _depths(air, side)
    seen = np.where(_seen_across_one_edge(lung, chosen, depths.shape, side), depths, 0.0)
    return RegionPair(chosen, _most_interior(seen if seen.any() else depths, side))


def _depths(mask: NDArray[np.bool_], side: int) -> NDArray[np.float64]:
    """How far the square at each corner stays from the mask's edge, in pixels; 0: not inside.

    Returns:
        (y - side + 1, x - side + 1)
    """
    distance = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    least = ndimage.minimum_filter(distance, size=side, origin=-(side // 2))
    return np.asarray(least[: mask.shape[0] - side + 1, : mask.shape[1] - side + 1])


def _most_interior(depths: NDArray[np.float64], side: int) -> Square:
    top, left = np.unravel_index(int(np.argmax(depths)), depths.shape)
    return Square(int(top), int(left), side)


def _seen_across_one_edge(
    lung: NDArray[np.bool_], square: Square, corners: tuple[int, ...], side: int
) -> NDArray[np.bool_]:
    """Which squares, by their corners, a line from the lung square meets before any other lung."""
    y, x = square.centre
    radii = np.arange(0.0, np.hypot(*lung.shape), _STEP_PX)
    angles = np.arange(_RAYS) * 2 * np.pi / _RAYS
    points = np.stack([y + np.sin(angles)[:, None] * radii, x + np.cos(angles)[:, None] * radii])
    inside = ndimage.map_coordinates(lung.astype(np.uint8), points, order=0, mode="constant") > 0
    met_again = np.logical_or.accumulate(~inside, axis=1) & inside
    reach = np.where(met_again.any(axis=1), radii[np.argmax(met_again, axis=1)], np.inf)
    half = (side - 1) / 2
    down = np.arange(corners[0])[:, None] + half - y
    right = np.arange(corners[1])[None, :] + half - x
    ray = np.rint(np.arctan2(down, right) * _RAYS / (2 * np.pi)).astype(np.intp) % _RAYS
    return np.asarray(np.hypot(down, right) < reach[ray])
