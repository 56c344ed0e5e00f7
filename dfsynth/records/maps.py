"""Images as arrays, named by axes: (y, x) is (row, column), y downwards."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32Map: TypeAlias = NDArray[np.float32]


MAP_NAMES: Final = ("dark_field", "aleatoric", "epistemic", "attenuation", "lung")
"""The maps that a store can hold, in the order in which `--maps` lists them by default."""
