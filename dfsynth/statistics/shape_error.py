"""How wrong the shape of a dark-field image is, whatever its overall strength."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShapeError:
    """What is left of an image's error after the best factor, as a share of the clean signal.

    With the factor s that makes Σ(s·estimate − clean)² least, the error is the root of that sum
    over Σ clean². It is the sine of the angle between the two images: 0 for equal shapes, 1 where
    they have nothing in common. The factor takes away what no radiograph shows, the patient's own
    scattering coefficient.
    """

    total: float
    """In [0, 1]."""
    lung: float
    """The part of it in the lung; the squares of both parts sum to the square of the total."""
    outside: float
    """The part outside the lung: signal where no lung is."""
    factor: float
    """The best factor, at least 0; 0 for an estimate that is no better than nothing."""


def shape_error(
    estimate: NDArray[np.float32], clean: NDArray[np.float32], lung: NDArray[np.bool_]
) -> ShapeError | None:
    """Compares an estimate (y, x) with the clean dark-field (y, x) and its lung mask (y, x).

    Padding is cut off by the caller. None where the clean image holds no signal: there is no shape.
    """
    found, truth = estimate.astype(np.float64), clean.astype(np.float64)
    power = float((truth * truth).sum())
    if power <= 0:
        return None
    own = float((found * found).sum())
    factor = max(float((found * truth).sum()) / own, 0.0) if own > 0 else 0.0
    left = np.square(factor * found - truth)
    inside = float(left[lung].sum()) / power
    outside = float(left[~lung].sum()) / power
    return ShapeError(
        total=min((inside + outside) ** 0.5, 1.0),
        lung=inside**0.5,
        outside=outside**0.5,
        factor=factor,
    )
