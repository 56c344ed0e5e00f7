"""What a calibration could promise where it cannot promise what was asked.

For planning alone: a level that was chosen by looking at the calibration is promised by the same
calibration with less confidence than it says.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dfsynth.statistics.learn_then_test import find_threshold

_STEP: Final = 0.01
"""Of risk."""


def attainable_risk(
    scores: NDArray[np.floating],
    failed: NDArray[np.bool_],
    patients: NDArray[Any],
    confidence: float,
) -> float | None:
    """The lowest risk, in whole hundredths, that some threshold controls; None where there is none.

    Takes what `find_threshold` takes, (images) each.

    Raises:
        ValueError: as `find_threshold`.
    """
    for risk in np.arange(_STEP, 1 - _STEP / 2, _STEP).round(2):
        if find_threshold(scores, failed, patients, float(risk), confidence) is not None:
            return float(risk)
    return None


def attainable_error(
    scores: NDArray[np.floating],
    errors: NDArray[np.floating],
    patients: NDArray[Any],
    risk: float,
    confidence: float,
) -> float | None:
    """The smallest of the sample's errors for which some threshold controls the risk.

    A larger error is never harder: fewer images fail, and the tests stay the same.

    Args:
        scores: (images).
        errors: (images); an image fails where its error is larger.
        patients: (images), the patient of each.
        risk: In (0, 1).
        confidence: In (0, 1).

    Raises:
        ValueError: as `find_threshold`.
    """
    limits = np.unique(errors)
    low, high = 0, len(limits)
    while low < high:
        middle = (low + high) // 2
        failed = errors > limits[middle]
        if find_threshold(scores, failed, patients, risk, confidence) is None:
            low = middle + 1
        else:
            high = middle
    return float(limits[low]) if low < len(limits) else None
