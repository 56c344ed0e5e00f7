"""Which slices of a session show enough to be worth a pair."""

from typing import Final

import numpy as np

from dfsynth.simulation.pet_ct.volume import PetCtVolume
from dfsynth.simulation.volumes.usable_slices import LEAST_SHARE, UsableSlices, constant_slices

_LEAST_SEEN: Final = 0.95
"""Share of a slice's body that its PET must show. [assumed]"""


def find_usable_slices(volume: PetCtVolume) -> UsableSlices:
    """Leaves out slices without contrast, with too little body, and beyond the PET.

    A slice needs at least 15 % of the body that the session's fullest slice has, and 95 % of it
    within what the PET measured.
    """
    area = volume.body.sum(axis=(1, 2))
    constant = constant_slices(volume.hu)
    unseen = np.zeros_like(constant)
    if volume.pet is not None:
        seen = (volume.body & volume.pet.seen).sum(axis=(1, 2))
        unseen = seen < _LEAST_SEEN * area
        # Where the PET is not seen it is 0, which says nothing of what it shows.
        constant |= constant_slices(volume.pet.suv) & ~unseen
    empty = area < LEAST_SHARE * area.max()
    return UsableSlices.without(
        {"constant_slice": constant, "empty_slice": empty, "outside_pet": unseen}
    )
