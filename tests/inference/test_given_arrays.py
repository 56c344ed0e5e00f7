"""What arrays a generator is called on, by the convention of its checkpoint."""

import numpy as np
import pytest

from dfsynth.inference.given_arrays import require_model_inputs
from dfsynth.records import IntensityRange, IntensityWindow

HOUNSFIELD = IntensityRange(-1000.0, 1000.0, "HU")


def test_values_in_a_unit_may_lie_outside_the_unit_range() -> None:
    images = np.array([[[-3.0, 12.0]]], np.float32)
    require_model_inputs(images, HOUNSFIELD)
    with pytest.raises(ValueError, match=r"expected images in \[0, 1\]"):
        require_model_inputs(images, IntensityWindow())


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(odd: float) -> None:
    with pytest.raises(ValueError, match="expected finite values"):
        require_model_inputs(np.array([[[0.0, odd]]]), HOUNSFIELD)


def test_whole_numbers_are_told_how_to_become_inputs() -> None:
    with pytest.raises(ValueError, match=r"\(value - -1000\) / 2000 of values in HU"):
        require_model_inputs(np.zeros((1, 2, 2), np.int16), HOUNSFIELD)
