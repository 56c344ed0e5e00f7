"""Axes of histograms: a grid of short decimals on which every threshold can be said exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dfsynth.report.browser.columns import axis_of

VALUES = arrays(
    np.float32,
    st.integers(1, 60),
    elements=st.floats(-1e6, 1e6, width=32) | st.just(float("nan")) | st.just(float("inf")),
)


@given(VALUES)
def test_all_values_lie_between_the_outermost_thresholds(values: np.ndarray) -> None:
    axis = axis_of(values)
    known = values[np.isfinite(values)]
    assert 0 < axis.bars < 255
    assert axis.step > 0
    if known.size:
        assert axis.lowest <= known.min()
        assert axis.highest >= known.max()


@given(VALUES, st.integers(0, 1000))
def test_thresholds_are_short_decimals(values: np.ndarray, units: int) -> None:
    axis = axis_of(values)
    value = axis.low + units * axis.step
    assert float(f"{value:.{axis.decimals}f}") == pytest.approx(value, abs=axis.step * 1e-6)


def test_a_few_far_values_do_not_press_the_others_together() -> None:
    values = np.concatenate([np.random.default_rng(0).normal(0, 1, 9999), [1e5]]).astype(np.float32)
    axis = axis_of(values)
    assert axis.low + axis.bars * axis.width < 20
    assert axis.highest >= 1e5


@pytest.mark.parametrize("value", [0.0, 0.3, -7.0, 1e6])
def test_equal_values_have_an_axis(value: float) -> None:
    axis = axis_of(np.full(5, value, np.float32))
    assert axis.low <= value <= axis.low + axis.bars * axis.width


def test_more_images_have_more_bars() -> None:
    rng = np.random.default_rng(1)
    few, many = (axis_of(rng.random(n).astype(np.float32)).bars for n in (20, 20_000))
    assert few < 30
    assert many > 60
