"""Each slice counts for the first reason that speaks against it."""

import numpy as np

from dfsynth.simulation.volumes.usable_slices import UsableSlices, constant_slices


def test_a_slice_counts_once() -> None:
    found = UsableSlices.without(
        {
            "empty": np.array([True, False, False, False, True]),
            "dull": np.array([True, True, False, False, True]),
            "never": np.zeros(5, np.bool_),
        }
    )
    assert found == UsableSlices((2, 3), {"empty": 2, "dull": 1})


def test_slices_of_one_value_are_told() -> None:
    values = np.zeros((3, 4, 5), np.float32)
    values[1, 2, 3] = 1e-30
    values[2] = 7
    assert constant_slices(values).tolist() == [True, False, True]
