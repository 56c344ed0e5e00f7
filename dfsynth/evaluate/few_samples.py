"""Interval factors for another number of samples than the one that they were calibrated with.

Networks that draw samples state the standard deviation of n of them, which is an estimate: of M
networks it has n - M degrees of freedom, and the mean of the samples is off by the n-th part of
their variance. Where samples are normal and targets too, with c times their deviation,
(target - mean) / deviation is sqrt(c² + 1/n) times a variable of Student's t distribution with as
many. With c = 1 that is the prediction interval of one further value (Hahn & Meeker, Statistical
Intervals, 1991, section 4.7); for each level, c follows from the factor that was calibrated.
"""

import math

from scipy.stats import t as student

from dfsynth.checkpoint import NetworkConfig
from dfsynth.evaluate.calibration import LEVELS, Factors


def factors_at(
    factors: Factors, arguments: NetworkConfig, calibrated: int, samples: int
) -> Factors:
    """Factors from `calibrated` samples an image, for so many `samples`, both at least M + 1.

    Those of networks that predict a deviation stay as they are.
    """
    if calibrated == samples or arguments.denoiser is None:
        return factors
    free, free_then = (number - arguments.members for number in (samples, calibrated))
    found = {}
    for level in map(str, LEVELS):
        spread = (factors[level] / _quantile(level, free_then)) ** 2 - 1 / calibrated
        found[level] = math.sqrt(max(spread, 0) + 1 / samples) * _quantile(level, free)
    return found


def _quantile(level: str, degrees: int) -> float:
    """Of Student's t distribution: what ends the central interval of a level."""
    return float(student.ppf(0.5 + float(level) / 2, degrees))
