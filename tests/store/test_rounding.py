"""Rounding of mantissas: to the nearest, ties to even, and nothing that is no number touched."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st
from numcodecs.bitround import BitRound
from numpy.typing import NDArray

from dfsynth.store.rounding import round_mantissa

BITS = st.integers(1, 23)
WORDS = np_st.arrays(np.uint32, st.integers(0, 40), elements=st.integers(0, 2**32 - 1))


def rounded(values: object, keepbits: int) -> NDArray[np.float32]:
    found = np.array(values, np.float32)
    round_mantissa(found, keepbits)
    return found


def nearest(value: float, keepbits: int) -> float:
    """By exact arithmetic: Python rounds ties to even."""
    fraction, exponent = np.frexp(np.float64(value))
    step = 2.0 ** max(int(exponent) - 1 - keepbits, -126 - keepbits)
    return round(float(value) / step) * step if fraction else value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), BITS)
def test_values_go_to_the_nearest_that_is_left(value: float, keepbits: int) -> None:
    expected = nearest(value, keepbits)
    largest = float(np.finfo(np.float32).max)
    if abs(expected) > largest:
        expected = np.copysign(np.inf, value)
    found = rounded([value], keepbits)
    assert found[0] == expected
    assert np.signbit(found[0]) == np.signbit(np.float32(value))


@given(WORDS, BITS)
def test_every_word_is_rounded_as_numcodecs_rounds_it(
    words: NDArray[np.uint32], keepbits: int
) -> None:
    values = words.view(np.float32)
    finite = np.isfinite(values)
    found = rounded(values, keepbits)
    expected = np.frombuffer(BitRound(keepbits).encode(values[finite].copy()), np.float32)
    np.testing.assert_array_equal(found[finite].view(np.uint32), expected.view(np.uint32))
    np.testing.assert_array_equal(found[~finite].view(np.uint32), words[~finite])


@given(WORDS, BITS)
def test_rounded_values_stay_as_they_are(words: NDArray[np.uint32], keepbits: int) -> None:
    once = rounded(words.view(np.float32), keepbits)
    np.testing.assert_array_equal(rounded(once, keepbits).view(np.uint32), once.view(np.uint32))


def test_ties_go_to_the_even_neighbour() -> None:
    step = 2.0**-10
    ties = [1 + 0.5 * step, 1 + 1.5 * step, -1 - 0.5 * step, -1 - 1.5 * step]
    assert rounded(ties, 10).tolist() == [1, 1 + 2 * step, -1, -1 - 2 * step]


def test_the_bits_of_nan_and_infinity_are_kept() -> None:
    words = np.array([0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001, 0x7F800000, 0xFF800000], np.uint32)
    for keepbits in range(1, 24):
        found = rounded(words.view(np.float32), keepbits)
        np.testing.assert_array_equal(found.view(np.uint32), words)


def test_images_of_any_shape_are_rounded_in_place() -> None:
    image = np.random.default_rng(0).normal(0, 0.2, (5, 7)).astype(np.float32)
    found = image.copy()
    round_mantissa(found, 10)
    np.testing.assert_allclose(found, image, rtol=2.0**-11, atol=0)
    assert not (found.view(np.uint32) & np.uint32(2**13 - 1)).any()


@pytest.mark.parametrize("keepbits", [-1, 0, 24])
def test_bits_that_float32_lacks_are_refused(keepbits: int) -> None:
    with pytest.raises(ValueError, match=f"cannot keep {keepbits} mantissa bits"):
        round_mantissa(np.zeros(3, np.float32), keepbits)


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((3, 2), np.float32).T])
def test_other_types_and_views_are_refused(values: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="expected contiguous float32"):
        round_mantissa(values, 10)


def test_a_whole_map_is_rounded_as_its_values_are_and_in_little_memory() -> None:
    values = np.random.default_rng(3).standard_normal((301, 1000)).astype(np.float32)
    values[0, 0], values[-1, -1] = np.nan, np.inf
    expected = np.stack([rounded(row, 10) for row in values])
    tracemalloc.start()
    round_mantissa(values, 10)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(values.view(np.uint32), expected.view(np.uint32))
    assert peak_bytes < values.nbytes / 2
