"""Which slices of a volume show enough to be worth a pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

LEAST_SHARE: Final = 0.15
"""What a slice must show over what the fullest one of its volume does. [assumed]"""


@dataclass(frozen=True, slots=True)
class UsableSlices:
    """What was found in one volume."""

    indices: tuple[int, ...]
    """Of slices that can be used, from the feet up."""
    excluded: Mapping[str, int]
    """How many cannot, by reason; each by the first that holds."""

    @classmethod
    def without(cls, reasons: Mapping[str, NDArray[np.bool_]]) -> Self:
        """The slices against which nothing speaks.

        Args:
            reasons: by name, masks (slices) of those that each speaks against; not empty.
        """
        against = np.stack(list(reasons.values()))
        first = against & (np.cumsum(against, axis=0) == 1)
        counts = dict(zip(reasons, first.sum(axis=1).tolist(), strict=True))
        return cls(
            indices=tuple(np.flatnonzero(~against.any(axis=0)).tolist()),
            excluded={reason: count for reason, count in counts.items() if count},
        )


def constant_slices(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which planes of (planes, rows, columns) have one value in all of their pixels."""
    return np.ptp(values, axis=(1, 2)) == 0
