"""The observer that knows how nodules look: finds what can be seen, and nothing that cannot."""

import numpy as np
import pytest
from free_response import Candidates, false_nodules, recall
from nodule_detector import Nodule
from nodule_observer import Twins

from dfsynth.errors import UsageError
from dfsynth.evaluate.restoration import SIZES

SIDE, BODIES = 48, 16
PATIENTS = [f"p{n}" for n in range(BODIES)] * 2


def twins(contrast: float) -> Twins:
    """White noise with one disc of 2 pixels' radius a body, 12 mm wide."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:SIDE, :SIDE]
    plain = rng.standard_normal((BODIES, SIDE, SIDE))
    noduled, nodules = plain.copy(), []
    for number in range(BODIES):
        row, column = (int(each) for each in rng.integers(10, SIDE - 10, 2))
        noduled[number] += contrast * (np.hypot(y - row, x - column) <= 2)
        nodules.append([Nodule(float(row), float(column), 2.0, 12.0)])
    lungs = np.zeros((BODIES, SIDE, SIDE), np.bool_)
    lungs[:, 6:-6, 6:-6] = True
    return Twins(noduled.astype(np.float32), plain.astype(np.float32), lungs, nodules)


def observed(contrast: float) -> Candidates:
    return twins(contrast).observe([SIZES[1]])[SIZES[1]]


def test_what_stands_out_is_found_and_what_does_not_is_not() -> None:
    shares = [recall(observed(c), PATIENTS, 0.25).value or 0 for c in (0.1, 1.0, 3.0)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] > 0.9


def test_false_nodules_are_counted_in_the_bodies_without_any() -> None:
    found = observed(3.0)
    assert found.pictures == 2 * BODIES
    assert len(found.nodules) == BODIES
    share = false_nodules(found, PATIENTS, 1.0).value
    assert share is not None
    assert 0.5 < share < 2


def test_a_class_without_nodules_is_refused() -> None:
    with pytest.raises(UsageError, match="half of the bodies has no nodule of under 8 mm"):
        twins(1.0).observe([SIZES[0]])
