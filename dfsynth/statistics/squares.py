"""Squares inside a region of an image."""

import numpy as np
from numpy.typing import NDArray


def largest_square(region: NDArray[np.bool_]) -> tuple[int, int, int]:
    """The first row, first column and side of the largest square that lies inside `region` (y, x).

    Of several the topmost, then the leftmost; a region of nothing has a square of side 0.
    """
    sums = np.pad(region.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    corner, least, most = (0, 0), 0, min(region.shape)
    # A square that fits holds all smaller ones: halve what is left between fitting and not.
    while least < most:
        side = (least + most + 1) // 2
        filled = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side]
        fits = np.flatnonzero(filled + sums[:-side, :-side] == side * side)
        if not fits.size:
            most = side - 1
        else:
            least = side
            row, column = np.unravel_index(fits[0], filled.shape)
            corner = int(row), int(column)
    return *corner, least
