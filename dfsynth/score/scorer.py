"""What a scorer is: the columns that it declares, and how it computes them for one image."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, ModelInput

SIGNAL: Final = "dark-field line integral"
"""The unit of scores that are a dark-field value, or its standard deviation."""


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """One score of an image: a float32 column of the manifest, null where it is not known."""

    name: str
    description: str
    unit: str | None = None
    unusual: Literal["high", "low"] | None = None
    """Which values speak of an image unlike those of the training; null where neither does."""


@dataclass(frozen=True, slots=True, eq=False)
class ImageMaps:
    """What scorers see of one image: maps (y, x) of equal shape, padding cut off."""

    dark_field: Float32Map
    """Mean over the Monte-Carlo samples; a dimensionless line integral."""
    aleatoric: Float32Map
    """Standard deviation, same unit."""
    epistemic: Float32Map
    """Standard deviation, same unit."""
    lung: NDArray[np.bool_] | None
    """Where lung is predicted; null where the checkpoint has no lung output."""
    lung_region: NDArray[np.bool_] | None
    """The same, null also where that is too little to be a lung."""
    source: ModelInput
    """What the maps were generated from, with its padding and geometry."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Some columns of the manifest, and what computes them."""

    columns: tuple[ScoreColumn, ...]
    compute: Callable[[ImageMaps], tuple[float | None, ...]]
    """One value for each column, in their order; null where the image has none."""
