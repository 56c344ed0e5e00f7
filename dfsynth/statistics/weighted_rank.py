"""Ranks among entries of which every owner has a weight of one, counted exactly.

A conformal rank is a whole number of patients, or a share of one. In floating point 0.1 × 20 may
be less than 2 and three thirds less than 1: the rank is then that of the next patient.
"""

from bisect import bisect_left
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROUNDING: Final = 1e-6
"""More than sums of floats are off, in owners; within it, fractions decide."""


def rank_reaching(owners: NDArray[np.intp], share: Fraction, to_come: int = 0) -> int | None:
    """How many entries, taken in order, it takes to reach a share of the whole weight.

    Args:
        owners: (entries) in order, the number of each one's owner, from 0. The entries of an owner
            share its weight of one evenly.
        share: Of the weight of all owners, in (0, 1].
        to_come: Owners that are part of the whole and have no entry.

    Returns:
        The least such number, from 1; None where all entries together do not reach the share.
    """
    counts = np.bincount(owners)
    wanted = share * (int(np.count_nonzero(counts)) + to_come)

    def reaches(rank: int) -> bool:
        return _weight(owners[:rank], counts) >= wanted

    reached = np.cumsum(1 / counts[owners])
    low, high = np.searchsorted(reached, [float(wanted) - _ROUNDING, float(wanted) + _ROUNDING])
    ranks = range(int(low), min(int(high) + 1, len(owners)) + 1)
    place = bisect_left(ranks, True, key=reaches)
    return ranks[place] if place < len(ranks) else None


def _weight(owners: NDArray[np.intp], counts: NDArray[np.intp]) -> Fraction:
    """The weight of some entries, where each owner has so many (`counts`) in all."""
    held = np.bincount(owners, minlength=len(counts))
    parts = zip(held.tolist(), counts.tolist(), strict=True)
    return sum((Fraction(some, of) for some, of in parts if some), Fraction(0))
