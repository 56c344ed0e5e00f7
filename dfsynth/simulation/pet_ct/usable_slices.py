"""Which slices of a session show enough to be worth a pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.simulation.pet_ct.volume import PetCtVolume

_LEAST_SHARE: Final = 0.15
"""Body in a slice over that of the session's fullest slice. [assumed]"""
_LEAST_SEEN: Final = 0.95
"""Share of a slice's body that its PET must show. [assumed]"""


@dataclass(frozen=True, slots=True)
class UsableSlices:
    """What was found in one session."""

    indices: tuple[int, ...]
    """Of slices that can be used, from the feet up."""
    excluded: Mapping[str, int]
    """How many cannot, by reason; each by the first that holds."""


def find_usable_slices(volume: PetCtVolume) -> UsableSlices:
    """Leaves out slices without contrast, with too little body, and beyond the PET.

    A slice needs at least 15 % of the body that the session's fullest slice has, and 95 % of it
    within what the PET measured.
    """
    area = _per_plane(volume.body).sum(axis=1)
    constant = _constant(volume.hu)
    unseen = np.zeros_like(constant)
    if volume.pet is not None:
        seen = _per_plane(volume.body & volume.pet.seen).sum(axis=1)
        unseen = seen < _LEAST_SEEN * area
        constant |= _constant(volume.pet.suv) & ~unseen
    empty = (area < _LEAST_SHARE * area.max()) & ~constant
    unseen &= ~constant & ~empty
    reasons = {"constant_slice": constant, "empty_slice": empty, "outside_pet": unseen}
    return UsableSlices(
        indices=tuple(int(index) for index in np.flatnonzero(~(constant | empty | unseen))),
        excluded={reason: int(held.sum()) for reason, held in reasons.items() if held.any()},
    )


def _per_plane(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return values.reshape(len(values), -1)


def _constant(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    flat = values.reshape(len(values), -1)
    return np.asarray(flat.min(axis=1) == flat.max(axis=1))
