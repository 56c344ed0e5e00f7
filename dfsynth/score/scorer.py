"""What a scorer is: the columns that it declares, and how it computes them for one image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dfsynth.records import Float32Map, ModelInput

SIGNAL: Final = "dark-field line integral"
"""The unit of scores that are a dark-field value, or its standard deviation."""
SHARE: Final = "0 to 1"
"""The unit of scores that are a share of something."""


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """One score of an image: a float32 column of the manifest, null where it is not known."""

    name: str
    description: str
    unit: str | None = None
    unusual: Literal["high", "low"] | None = None
    """Which values speak of an image unlike those of the training; null where neither does."""
    since: int = 1
    """The first version of the manifest's schema that has the column."""
    without_lung: str = ""
    """What the description leaves out for radiographs, whose columns are fixed: what is scored
    where the network predicts no lung."""


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
    learned: Mapping[str, float]
    """What the checkpoint's heads say of the image, by name of the column; empty without heads."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Some columns of the manifest, and what computes them."""

    columns: tuple[ScoreColumn, ...]
    compute: Callable[[ImageMaps], tuple[float | None, ...]]
    """One value for each column, in their order; null where the image has none."""
    learned: bool = False
    """Whether the values come from the checkpoint's heads, and not from the maps."""
