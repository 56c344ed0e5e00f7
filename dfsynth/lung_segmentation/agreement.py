"""How well two lung outlines agree."""

import numpy as np
from numpy.typing import NDArray


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Twice the overlap over the sum of both areas, 0 to 1 (Dice, Ecology 26, 1945).

    Both masks have one shape, such as (y, x); where both are empty it is 0.
    """
    return float(2 * (found & truth).sum() / max(int(found.sum() + truth.sum()), 1))
