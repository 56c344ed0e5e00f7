"""A slice that parts of the scanner could disagree about is refused where it is made."""

from typing import Any

import numpy as np
import pytest

from dfsynth.simulation.dark_field_ct import SliceObject


def make(**changes: Any) -> SliceObject:
    values: dict[str, Any] = {
        "mu_per_m": np.zeros((4, 4), np.float32),
        "dark_field_per_m": np.zeros((4, 4), np.float32),
        "lung_mask": np.zeros((4, 4), np.uint8),
        "air_mask": np.zeros((4, 4), np.uint8),
        "pixel_mm": 2.0,
        "parameters": {},
    }
    return SliceObject(**(values | changes))


def test_its_size_is_the_side_of_its_arrays() -> None:
    assert make().size == 4


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mu_per_m": np.zeros((4, 6), np.float32)}, "square"),
        ({"mu_per_m": np.zeros((5, 5), np.float32)}, "even side"),
        ({"lung_mask": np.zeros((2, 2), np.uint8)}, "lung_mask is 2 x 2"),
        ({"dark_field_per_m": np.zeros((4, 4))}, "float64; expected float32"),
        ({"mu_per_m": np.full((4, 4), np.nan, np.float32)}, "not finite"),
        ({"dark_field_per_m": np.full((4, 4), -1, np.float32)}, "negative"),
        ({"air_mask": np.full((4, 4), 2, np.uint8)}, "label 2"),
        (
            {"lung_mask": np.ones((4, 4), np.uint8), "air_mask": np.ones((4, 4), np.uint8)},
            "overlap",
        ),
        ({"pixel_mm": 0.0}, "pitch"),
        ({"pixel_mm": float("nan")}, "pitch"),
    ],
)
def test_a_slice_is_refused_with_what_is_wrong(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make(**changes)
