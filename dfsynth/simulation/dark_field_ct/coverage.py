"""How well the fringe phases of a fit determine a fringe."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST_COVERAGE: Final = 1e-3
"""That of phases spread evenly over about a seventh of a fringe [assumed]."""


def phase_coverage(phase_rad: NDArray[np.float64], shots: int) -> float:
    """Median over the fits of the least eigenvalue of the covariance of (cos phi, sin phi).

    A fit takes, of `phase_rad` (rotations, shots of a turn) in rad, `shots` neighbours around one
    shot of every rotation. Phases spread over whole fringes give 0.5, equal ones 0; the variance
    of a fitted visibility grows as its inverse.
    """
    of_cos, of_sin = np.cos(phase_rad), np.sin(phase_rad)
    mean_cos, mean_sin, mean_cos2, mean_cos_sin = (
        _neighbour_mean(values.mean(axis=0), shots)
        for values in (of_cos, of_sin, of_cos**2, of_cos * of_sin)
    )
    var_cos = mean_cos2 - mean_cos**2
    var_sin = 1 - mean_cos2 - mean_sin**2
    covariance = mean_cos_sin - mean_cos * mean_sin
    spread = np.hypot(var_cos - var_sin, 2 * covariance)
    return float(np.median((var_cos + var_sin - spread) / 2))


def _neighbour_mean(values: NDArray[np.float64], shots: int) -> NDArray[np.float64]:
    """Means of `shots` neighbours on the circle of a turn, (shots of a turn)."""
    reach = shots // 2
    sums = np.cumsum(np.pad(values, (reach + 1, reach), mode="wrap"))
    return (sums[shots:] - sums[:-shots]) / shots
