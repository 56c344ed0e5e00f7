"""The worse a score, the less an image weighs; without one it weighs nothing."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.errors import UsageError
from dfsynth.manifest import MissingColumnError, weigh_rows


def rows(values: list[float | None]) -> pa.Table:
    return pa.table({"error": pa.array(values, pa.float32())})


def test_weights_are_inverse_and_of_mean_one() -> None:
    found = weigh_rows(rows([0.2, 0.4, None, 0.2]), "error")
    np.testing.assert_allclose(found, [1.2, 0.6, 0, 1.2], rtol=1e-6)


@given(st.lists(st.floats(0, 1, width=32), min_size=1))
def test_weights_are_finite_and_fall_with_the_score(values: list[float]) -> None:
    found = weigh_rows(rows(list(values)), "error")
    assert np.isfinite(found).all()
    assert (found > 0).all()
    np.testing.assert_allclose(found.mean(), 1)
    assert (np.diff(found[np.argsort(values)]) <= 0).all()


def test_the_best_images_do_not_count_without_limit() -> None:
    found = weigh_rows(rows([1e-9, *[0.5] * 99]), "error")
    np.testing.assert_allclose(found, np.ones(100))


def test_no_rows_have_no_weights() -> None:
    assert weigh_rows(rows([]), "error").shape == (0,)


@pytest.mark.parametrize(
    ("values", "by", "message"),
    [
        ([None, None], "error", "null throughout 2 images"),
        ([0.1, -0.1], "error", "below 0"),
        ([0.1], "eror", "did you mean error"),
    ],
)
def test_a_score_that_cannot_weigh_is_refused(values, by, message) -> None:
    expected = UsageError if "below" in message else MissingColumnError
    with pytest.raises(expected, match=message):
        weigh_rows(rows(values), by)
