"""Which slices of a volume show enough to be worth a pair."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from dfsynth.simulation.mri.volume import MrVolume

_LEAST_SHARE: Final = 0.15
"""Foreground in a slice over that of the volume's fullest slice. [assumed]"""


@dataclass(frozen=True, slots=True)
class UsableSlices:
    """What was found in one volume."""

    indices: tuple[int, ...]
    """Of slices that can be used, from the feet up."""
    constant: int
    """Slices all of whose pixels are equal."""
    nearly_empty: int
    """Slices with too little in them."""


def find_usable_slices(volume: MrVolume) -> UsableSlices:
    """Leaves out slices without contrast, and those above and below what was scanned.

    A slice needs at least 15 % of the foreground pixels that the volume's fullest slice has.
    """
    flat = volume.values.reshape(len(volume.values), -1)
    constant = flat.min(axis=1) == flat.max(axis=1)
    area = (flat > volume.threshold).sum(axis=1)
    usable = ~constant & (area >= _LEAST_SHARE * area.max()) & (area > 0)
    return UsableSlices(
        indices=tuple(int(index) for index in np.flatnonzero(usable)),
        constant=int(constant.sum()),
        nearly_empty=int((~usable & ~constant).sum()),
    )
