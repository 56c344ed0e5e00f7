"""Squares inside a region against trying all of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray

from dfsynth.statistics import largest_square


@given(st_numpy.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_the_largest_square_is_that_of_trying_all(region: NDArray[np.bool_]) -> None:
    rows, columns = region.shape
    sides = [
        side
        for side in range(1, min(rows, columns) + 1)
        for y in range(rows - side + 1)
        for x in range(columns - side + 1)
        if region[y : y + side, x : x + side].all()
    ]
    y, x, side = largest_square(region)
    assert side == max(sides, default=0)
    assert region[y : y + side, x : x + side].all()
