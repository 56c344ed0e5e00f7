"""Images as arrays, named by axes: (y, x) is (row, column), y downwards."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32Map: TypeAlias = NDArray[np.float32]
