"""Factors of intervals that miss few pixels of most patients, with a guarantee.

Risk-controlling prediction sets (Bates et al., Journal of the ACM 2021), as Angelopoulos et al.,
ICML 2022 ("im2im-uq"), make them of images: a patient's loss is the share of its pixels outside
mean ± k · sigma, the risk is the mean loss of patients, and k is the smallest whose risk is bounded
by 1 − level. Over draws of independent calibration patients the risk is that low with a probability
of at least `CONFIDENCE`. Plain factors hold on average over such draws, and fall short in half.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.counted_nouns import counted
from dfsynth.evaluate.calibration import LEVELS, CalibrationPixels
from dfsynth.evaluate.density import SIGMA_FLOOR
from dfsynth.statistics.learn_then_test import fewest_patients, p_values

Array = NDArray[np.float64]

CONFIDENCE: Final = 0.9
"""Of the guarantee, as in the paper (delta 0.1)."""
FEWEST_PATIENTS: Final = fewest_patients(1 - max(LEVELS), CONFIDENCE)
"""Who can promise the highest level, if all of their pixels are inside."""


def controlled_factors(images: Sequence[CalibrationPixels]) -> tuple[dict[str, float], ...]:
    """The k of each level for each stage; a patient's loss is the mean of its images' losses.

    Raises:
        ValueError: fewer than `FEWEST_PATIENTS` patients, or an image without pixels.
    """
    names, owners = np.unique([image.patient_id for image in images], return_inverse=True)
    if len(names) < FEWEST_PATIENTS or not all(image.errors.size for image in images):
        raise ValueError(
            f"expected pixels of {FEWEST_PATIENTS} patients or more, found "
            f"{counted(len(names), 'patient')}"
        )
    pixels = [image.errors.shape[1] for image in images]
    shares = 1 / (np.bincount(owners)[owners] * np.array(pixels))
    weights = np.repeat(shares, pixels)
    errors = np.concatenate([image.errors for image in images], axis=1).astype(np.float64)
    sigmas = np.concatenate([image.sigmas for image in images], axis=1).astype(np.float64)
    found = []
    for ratio in np.abs(errors) / np.maximum(sigmas, SIGMA_FLOOR):
        order = np.argsort(ratio)
        # What lies beyond each ratio, of all patients together; ties only make it too much.
        losses = np.maximum(len(names) - np.cumsum(weights[order]), 0.0)
        found.append(
            {
                str(level): float(ratio[order[_first_controlled(losses, len(names), level)]])
                for level in LEVELS
            }
        )
    return tuple(found)


def _first_controlled(losses: Array, patients: int, level: float) -> int:
    """The first of falling sums of losses (ratios) whose mean is bounded by 1 − level."""
    low, high = 0, len(losses) - 1
    while low < high:
        middle = (low + high) // 2
        chance = p_values(losses[[middle]], np.array([patients]), 1 - level, binary=False)[0]
        low, high = (low, middle) if chance <= 1 - CONFIDENCE else (middle + 1, high)
    return low
