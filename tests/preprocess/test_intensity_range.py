"""Values in a unit → model inputs: (value - low) / (high - low), the same in every image."""

import numpy as np
import pytest

from dfsynth.preprocess import intensity_flags, prepare, to_source, to_unit_range, window_ends
from dfsynth.records import DecodedImage, IntensityRange

PER_METRE = IntensityRange(0.0, 1.0, "1/m")
HOUNSFIELD = IntensityRange(-1000.0, 1000.0, "HU")


def test_values_in_a_unit_pass_through_unchanged() -> None:
    pixels = np.random.default_rng(1).normal(2.5, 3.0, (20, 30)).astype(np.float32)
    assert pixels.min() < 0
    assert np.array_equal(to_unit_range(pixels, PER_METRE), pixels)


def test_nothing_of_the_image_itself_decides() -> None:
    pixels = np.array([[-1500.0, -1000.0, 0.0, 3000.0]], np.float32)
    assert to_unit_range(pixels, HOUNSFIELD).tolist() == [[-0.25, 0.0, 0.5, 2.0]]
    assert window_ends(pixels, HOUNSFIELD) == (-1000.0, 1000.0)


def test_only_a_slice_without_any_difference_is_flagged() -> None:
    flat = np.zeros((8, 8), np.float32)
    assert intensity_flags(flat, PER_METRE, 0.0, 0.0) == ("low_contrast",)
    flat[0, 0] = 1e-3
    assert intensity_flags(flat, PER_METRE, 0.0, 1.0) == ()


def test_values_of_another_unit_are_flagged() -> None:
    """Raw magnitudes where those over the white of their volume are expected, HU as 1/m."""
    head = np.zeros((8, 8), np.float32)
    head[2:6, 2:] = np.linspace(60.0, 120.0, 24, dtype=np.float32).reshape(4, 6)
    assert intensity_flags(head, PER_METRE, 0.0, 1.0) == ("beyond_range",)
    assert intensity_flags(-head, PER_METRE, 0.0, 1.0) == ("beyond_range",)
    assert intensity_flags(head / 96.0, PER_METRE, 0.0, 1.0) == ()
    assert intensity_flags(head, HOUNSFIELD, 0.0, 1.0) == ()


def test_a_bright_spot_is_no_other_unit() -> None:
    uptake = np.full((16, 16), 0.8, np.float32)
    uptake[4:8, 4:8] = 25.0
    assert intensity_flags(uptake, IntensityRange(0.0, 1.0, "g/mL"), 0.0, 1.0) == ()


@pytest.mark.parametrize("grid", [(40, 40), (40, 64), (80, 80)])
def test_a_letterboxed_slice_keeps_its_values_and_has_no_padding_but_zero(
    grid: tuple[int, int],
) -> None:
    rows = np.linspace(-2.0, 12.0, 40, dtype=np.float32)
    pixels = np.repeat(rows[:, None], 40, axis=1)
    found = prepare(DecodedImage(pixels, -2.0, 12.0, 32, "MONOCHROME2", 1.5), grid, PER_METRE)
    padding = np.ones(grid, np.bool_)
    padding[found.geometry.content] = False
    assert not found.image[padding].any()
    back = to_source(found.image, found.geometry)
    # Where the grid has the pixels of the image, nothing is interpolated.
    tolerance = 0 if found.geometry.height == 40 else 0.2
    np.testing.assert_allclose(back, pixels, atol=tolerance, rtol=0)
    assert found.pixel_mm == 1.5


@pytest.mark.parametrize(
    ("low", "high", "unit"),
    [(1.0, 1.0, "1/m"), (2.0, 1.0, "1/m"), (0.0, float("nan"), "1/m"), (0.0, 1.0, " ")],
)
def test_a_range_without_width_or_unit_is_refused(low: float, high: float, unit: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        IntensityRange(low, high, unit)
