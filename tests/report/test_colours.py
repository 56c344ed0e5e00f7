"""Colours at known values, hatching, and display limits."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dfsynth.records.task import Colours
from dfsynth.report import colour_table, paint, robust_limits
from dfsynth.report.colours import hatch, limit_text

NAMES = ("gray", "bone", "cividis", "inferno", "magma", "plasma", "turbo", "viridis")


@pytest.mark.parametrize("name", NAMES)
def test_limits_take_the_first_and_the_last_colour(name: str) -> None:
    table = colour_table(name)
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    values = np.array([[-9.0, 0.2, 0.6, 1.0, 7.0]], dtype=np.float32)
    painted = paint(values, name, 0.2, 1.0)[0]
    np.testing.assert_array_equal(painted[:2], table[[0, 0]])
    np.testing.assert_array_equal(painted[3:], table[[255, 255]])
    assert painted[2].tolist() in table[127:129].tolist()


def test_tables_are_rgb() -> None:
    red, green, blue = colour_table("inferno")[180].tolist()
    assert red > green > blue
    red, green, blue = colour_table("viridis")[255].tolist()
    assert red > 200
    assert green > 200
    assert blue < 100
    np.testing.assert_array_equal(colour_table("gray")[:, 0], np.arange(256))


def test_an_unknown_colour_map_is_refused() -> None:
    with pytest.raises(ValueError, match="no colour map 'jet'; expected one of gray"):
        colour_table("jet")


@pytest.mark.parametrize("limits", [(1.0, 1.0), (2.0, 1.0), (0.0, np.inf), (np.nan, 1.0)])
def test_limits_must_span_a_scale(limits: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="low < high"):
        paint(np.zeros((2, 2), np.float32), "gray", *limits)


def test_what_is_not_finite_is_hatched() -> None:
    values = np.full((24, 30), 0.5, dtype=np.float32)
    values[3:20, 5:25] = np.nan
    values[0, 0] = np.inf
    painted = paint(values, "inferno", 0, 1)
    gaps = ~np.isfinite(values)
    np.testing.assert_array_equal(painted[gaps], hatch(24, 30)[gaps])
    assert (painted[~gaps] == painted[0, 1]).all()
    assert len(np.unique(painted[gaps], axis=0)) == 2


_VALUES = hnp.arrays(
    np.float32, hnp.array_shapes(max_dims=3, max_side=12), elements=st.floats(width=32)
)


@settings(deadline=None)
@given(values=_VALUES)
def test_robust_limits_always_span_a_scale(values: np.ndarray) -> None:
    low, high = robust_limits(values)
    assert np.isfinite([low, high]).all()
    assert low < high


def test_robust_limits_are_percentiles_of_what_is_finite() -> None:
    values = np.concatenate([np.arange(101.0), [np.nan, np.inf, -np.inf]])
    assert robust_limits(values) == pytest.approx((1, 99))
    assert robust_limits(values, 10, 50) == pytest.approx((10, 50))
    assert robust_limits(np.array([np.nan])) == (0.0, 1.0)
    assert robust_limits(np.full(5, 3.0)) == pytest.approx((3, 3.003))
    with pytest.raises(ValueError, match="0 <= low < high <= 100"):
        robust_limits(values, 60, 50)


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.05, "0.05"),
        (92.13, "92.1"),
        (-1000.0, "-1000"),
        (3071.0, "3071"),
        (999.7, "1000"),
        (1e7, "1e+07"),
    ],
)
def test_limits_of_hounsfield_units_are_written_out(limit: float, text: str) -> None:
    assert limit_text(limit) == text


def test_a_task_may_name_every_colour_map_and_no_other() -> None:
    for name in get_args(Colours):
        assert colour_table(name).shape == (256, 3)
    with pytest.raises(ValueError, match=r"no colour map 'jet'; expected one of .*") as caught:
        colour_table("jet")
    assert str(caught.value).rpartition("one of ")[2].split(", ") == list(get_args(Colours))
