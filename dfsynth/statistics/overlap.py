"""How far two regions agree."""

import numpy as np
from numpy.typing import NDArray


def dice(found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Dice's coefficient of two regions (y, x): twice their overlap over the sum of their areas.

    Dice, Ecology 1945. From 0 for regions apart to 1 for equal ones; 0 where both are empty.
    """
    area = int(found.sum()) + int(truth.sum())
    return 2 * int((found & truth).sum()) / max(area, 1)
