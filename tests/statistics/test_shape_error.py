"""The error of shape: an angle between images, blind to strength, split by where it lies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.statistics import shape_error

_LUNG = np.zeros((8, 10), np.bool_)
_LUNG[2:6, 1:7] = True


def _maps(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    clean = np.where(_LUNG, rng.uniform(0.1, 0.5, _LUNG.shape), 0).astype(np.float32)
    return rng.uniform(0, 0.5, _LUNG.shape).astype(np.float32), clean


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_it_is_the_sine_of_the_angle_whatever_the_strength(seed: int, strength: float) -> None:
    estimate, clean = _maps(seed)
    found = shape_error(np.float32(strength) * estimate, clean, _LUNG)
    a, b = estimate.ravel().astype(float), clean.ravel().astype(float)
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    assert found is not None
    assert found.total == pytest.approx(np.sqrt(1 - cosine**2), abs=1e-5)
    assert found.lung**2 + found.outside**2 == pytest.approx(found.total**2, abs=1e-5)


def test_the_truth_has_none_and_its_factor_is_found() -> None:
    _, clean = _maps(0)
    found = shape_error(clean / np.float32(4), clean, _LUNG)
    assert found is not None
    assert found.total == pytest.approx(0, abs=1e-6)
    assert found.factor == pytest.approx(4)


def test_signal_where_no_lung_is_counts_as_outside() -> None:
    _, clean = _maps(1)
    lit = clean.copy()
    lit[~_LUNG] = 0.3
    found = shape_error(lit, clean, _LUNG)
    assert found is not None
    assert found.outside > 0.3
    clean_alone = shape_error(clean, clean, _LUNG)
    assert clean_alone is not None
    assert clean_alone.outside == 0


def test_an_estimate_against_the_truth_is_as_bad_as_nothing() -> None:
    _, clean = _maps(2)
    for estimate in (-clean, np.zeros_like(clean)):
        found = shape_error(estimate, clean, _LUNG)
        assert found is not None
        assert (found.total, found.factor) == (1.0, 0.0)


def test_without_signal_there_is_no_shape() -> None:
    estimate, clean = _maps(3)
    assert shape_error(estimate, np.zeros_like(clean), _LUNG) is None
