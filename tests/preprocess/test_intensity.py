"""Grey values of any archive → [0, 1], and what is flagged about them."""

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.preprocess import intensity_flags, letterbox, to_grid, to_unit_range
from dfsynth.records import IntensityWindow

WINDOW = IntensityWindow()


def image(seed: int, side: int = 40) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, 40.0, (side, side)).clip(0, 255).round().astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_affine_changes_of_the_grey_values_change_nothing(
    seed: int, gain: float, offset: float
) -> None:
    pixels = image(seed)
    # float32 keeps seven digits: an offset far above the contrast would eat them.
    assume(abs(offset) < 1e3 * gain)
    changed = (pixels.astype(np.float64) * gain + offset).astype(np.float32)
    np.testing.assert_allclose(
        to_unit_range(changed, WINDOW), to_unit_range(pixels, WINDOW), atol=1e-4
    )


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_the_bit_depth_changes_nothing(bits: int) -> None:
    pixels = image(1)
    deep = (pixels * (2**bits - 1) / 255).round().astype(np.float32)
    np.testing.assert_allclose(
        to_unit_range(deep, WINDOW), to_unit_range(pixels, WINDOW), atol=0.5 / 2 ** (bits - 8)
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.floats(0, 40), st.floats(60, 100))
@example(0, 22.03058952309101, 99.0)
def test_the_result_is_monotone_in_the_unit_range_and_fills_it(
    seed: int, low: float, high: float
) -> None:
    pixels = image(seed)
    found = to_unit_range(pixels, IntensityWindow(low, high))
    assert found.dtype == np.float32
    assert found.shape == pixels.shape
    assert found.min() == 0
    assert found.max() == 1
    order = np.argsort(pixels, axis=None, kind="stable")
    assert (np.diff(found.ravel()[order]) >= 0).all()


def test_the_window_ends_at_its_percentiles() -> None:
    pixels = np.arange(1001, dtype=np.float32).reshape(7, 143)
    found = to_unit_range(pixels, IntensityWindow(10, 90))
    np.testing.assert_allclose(
        found.ravel(), np.clip((pixels.ravel() - 100) / 800, 0, 1), atol=1e-6
    )


def test_the_brightest_stays_brightest() -> None:
    """Dense is bright before and after."""
    pixels = image(2)
    found = to_unit_range(pixels, WINDOW)
    assert found[pixels == pixels.max()].min() == 1
    assert found[pixels == pixels.min()].max() == 0


def test_without_contrast_all_is_zero() -> None:
    flat = np.full((9, 9), 77, np.float32)
    assert not to_unit_range(flat, WINDOW).any()
    flat[0, 0] = 200  # beyond the percentiles: one pixel of 200,000
    wide = np.full((400, 500), 77, np.float32)
    wide[0, 0] = 200
    assert not to_unit_range(wide, WINDOW).any()


@pytest.mark.parametrize(
    ("low", "high"), [(-1, 50), (50, 50), (60, 40), (0, 101), (float("nan"), 50)]
)
def test_windows_that_are_none_are_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="expected 0 <= low_percentile < high_percentile <= 100"):
        IntensityWindow(low, high)


def ramp(low: float, high: float) -> NDArray[np.float32]:
    return np.linspace(low, high, 2500, dtype=np.float32).reshape(50, 50)


def test_a_plain_image_has_no_flags() -> None:
    assert intensity_flags(ramp(1, 254), WINDOW, 0, 255) == ()


@pytest.mark.parametrize(("low", "high"), [(0.0, 255.0), (0.0, 4095.0), (-1000.0, 3000.0)])
@pytest.mark.parametrize(("share", "flagged"), [(0.09, True), (0.12, False)])
def test_low_contrast_is_a_share_of_the_formats_range(
    low: float, high: float, share: float, flagged: bool
) -> None:
    middle, half = (low + high) / 2, share * (high - low) / 2
    flags = intensity_flags(ramp(middle - half, middle + half), WINDOW, low, high)
    assert flags == (("low_contrast",) if flagged else ())


@pytest.mark.parametrize("end", ["black", "white"])
@pytest.mark.parametrize(("share", "flagged"), [(0.06, True), (0.04, False)])
def test_either_end_of_the_range_can_clip(end: str, share: float, flagged: bool) -> None:
    pixels = ramp(1, 254)
    rows = round(share * 50)
    pixels[:rows] = 0 if end == "black" else 255
    assert intensity_flags(pixels, WINDOW, 0, 255) == (("clipped",) if flagged else ())


def test_both_flags_can_stand_together() -> None:
    assert set(intensity_flags(np.zeros((8, 8), np.float32), WINDOW, 0, 255)) == {
        "clipped",
        "low_contrast",
    }


def test_values_near_the_end_are_not_clipped() -> None:
    assert intensity_flags(ramp(1, 254).clip(40, 200), WINDOW, 0, 255) == ()


@pytest.mark.parametrize("side", [256, 300, 522, 700, 929, 1040, 1077, 1337])
@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_clipping_is_seen_at_any_size(side: int, dtype: type[np.generic], top: int) -> None:
    """Averaging equal values gives them back but for rounding; that must not hide them."""
    pixels = np.full((side, side), top // 2, dtype)
    pixels[: side // 12, :] = top
    pixels[side // 12 : side // 3, ::2] = top // 4
    content = to_grid(pixels, letterbox(pixels.shape, (256, 256)))
    assert "clipped" in intensity_flags(content, WINDOW, 0, top)
