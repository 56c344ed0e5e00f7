"""Images as arrays, named by axes: (y, x) is (row, column), y downwards."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32Map: TypeAlias = NDArray[np.float32]


MAP_LONG_NAMES: Final[Mapping[str, str]] = {
    "dark_field": "synthetic dark-field image",
    "aleatoric": "aleatoric standard deviation of the dark-field image",
    "epistemic": "epistemic standard deviation of the dark-field image",
    "attenuation": "radiograph between its percentiles, dense is bright",
    "lung": "probability of lung",
}
"""What each map that a store can hold shows. Stores keep these words: other ones are for another
version of their layout."""
MAP_NAMES: Final = tuple(MAP_LONG_NAMES)
"""The maps, in the order in which `--maps` lists them by default."""
DARK_FIELD_MAPS: Final = ("dark_field", "aleatoric", "epistemic")
"""Those in the unit of the generator; the others are shares, from 0 to 1."""
