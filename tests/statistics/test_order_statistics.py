"""Weighted medians and Holm's p-values against plain ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from dfsynth.statistics import holm_adjusted, resample_patients, weighted_median

VALUES = st_numpy.arrays(np.float64, 7, elements=st.floats(-9, 9))
COUNTS = st_numpy.arrays(np.int64, 7, elements=st.integers(0, 3))


@given(VALUES, COUNTS)
def test_a_weighted_median_is_that_of_the_repeated_values(values, counts) -> None:
    found = weighted_median(values, counts[None].astype(np.float64))[0]
    repeated = np.repeat(values, counts)
    if repeated.size:
        assert found == np.median(repeated)
    else:
        assert np.isnan(found)


def test_the_interval_of_a_median_holds_it_and_leaves_out_what_is_unknown() -> None:
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(5, 1, 40), np.nan)
    found = resample_patients([str(n) for n in range(41)], 0).median(values)
    assert found.value == np.median(values[:-1])
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    # About 1.96 · 1.25 · sd / sqrt(n) on either side.
    assert 0.4 < found.high - found.low < 1.5
    assert found.low < found.value < found.high


def test_holm_steps_down_and_never_decreases() -> None:
    # Worked by hand: 0.01·4, 0.03·3, max(0.09, 0.04·2), max(0.09, 0.05·1).
    np.testing.assert_allclose(
        holm_adjusted(np.array([0.04, 0.01, 0.05, 0.03])), [0.09, 0.04, 0.09, 0.09]
    )


@given(st_numpy.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_lies_between_no_correction_and_bonferroni(p_values) -> None:
    found = holm_adjusted(p_values)
    assert (found >= p_values).all()
    assert (found <= np.minimum(p_values * p_values.size, 1) + 1e-12).all()
    assert found.min() == pytest.approx(min(p_values.min() * p_values.size, 1.0))
