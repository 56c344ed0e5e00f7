"""Whole numbers stand for values to half a step, wherever the values lie."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dfsynth.exports.scale import LEVELS, LinearScale

numbers = st.floats(-1e4, 1e4, width=32)


@given(arrays(np.float32, (3, 5), elements=numbers))
def test_values_come_back_to_half_a_step(values):
    scale = LinearScale.spanning(float(values.min()), float(values.max()))
    stored = scale.store(values)
    assert stored.dtype == np.uint16
    error = np.abs(scale.restore(stored) - values)
    assert error.max() <= scale.scale * 0.5 + 1e-9 * max(np.abs(values).max(), 1)


@given(numbers, st.floats(1e-6, 1e4))
def test_the_scale_reaches_both_ends_and_is_short_in_decimals(low, width):
    scale = LinearScale.spanning(low, low + width)
    assert scale.offset <= low + 1e-9 * abs(low)
    assert scale.top >= low + width
    # At most two and a half times coarser than it need be, and a step for the offset.
    assert scale.scale <= 2.51 * width / (LEVELS - 1)
    digits = f"{scale.scale:e}".split("e")[0].rstrip("0").rstrip(".")
    assert digits in ("1", "2", "5")


def test_what_lies_beyond_the_ends_gets_a_scale_of_its_own():
    scale = LinearScale(1e-4, 0.0)
    inside, outside = np.array([[0.0, 6.5]], np.float32), np.array([[-0.5, 9.0]], np.float32)
    assert scale.fitted(inside) is scale
    own = scale.fitted(outside)
    assert own != scale
    assert np.abs(own.restore(own.store(outside)) - outside).max() <= own.scale / 2 + 1e-9


def test_a_constant_image_has_a_scale():
    values = np.full((2, 2), 0.25, np.float32)
    own = LinearScale.spanning(0.25, 0.25)
    np.testing.assert_allclose(own.restore(own.store(values)), values, rtol=1e-6)
