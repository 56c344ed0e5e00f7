"""One decoded image → one model input."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dfsynth.preprocess import prepare, to_grid, to_unit_range
from dfsynth.records import DecodedImage, IntensityWindow

Pixels = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32]
WINDOW = IntensityWindow()


def decoded(pixels: Pixels, high: float = 255.0) -> DecodedImage:
    return DecodedImage(pixels, 0.0, high, 8, "MONOCHROME2", 0.3)


def radiograph(height: int = 90, width: int = 70) -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(30, 220, (height, width)).astype(np.uint8)


@pytest.mark.parametrize("grid", [(64, 64), (32, 100), (200, 150)])
def test_the_content_is_scaled_and_the_padding_is_zero(grid: tuple[int, int]) -> None:
    pixels = radiograph()
    found = prepare(decoded(pixels), grid, WINDOW)
    assert found.image.shape == grid
    assert found.image.dtype == np.float32
    content = found.image[found.geometry.content]
    expected = to_unit_range(to_grid(pixels, found.geometry), WINDOW)
    assert np.array_equal(content, expected)
    padding = np.ones(grid, np.bool_)
    padding[found.geometry.content] = False
    assert padding.any()
    assert not found.image[padding].any()
    assert 0 <= found.image.min() <= found.image.max() <= 1


def test_padding_takes_no_part_in_the_percentiles() -> None:
    pixels = radiograph(64, 64)
    square = prepare(decoded(pixels), (32, 32), WINDOW)
    wide = prepare(decoded(pixels), (32, 200), WINDOW)
    assert np.array_equal(wide.image[wide.geometry.content], square.image)


def test_an_inverted_range_is_not_turned_back() -> None:
    """Dense is bright already when an image comes here; nothing turns it a second time."""
    pixels = radiograph(32, 32)
    pixels[:8, :8], pixels[-8:, -8:] = 250, 3
    image = prepare(decoded(pixels), (32, 32), WINDOW).image
    assert image[:8, :8].mean() > 0.95
    assert image[-8:, -8:].mean() < 0.05


def test_pitch_and_flags_are_carried_on() -> None:
    pixels = np.full((40, 40), 100, np.uint8)
    pixels[:20] = 104
    found = prepare(decoded(pixels), (16, 16), WINDOW)
    assert found.flags == ("low_contrast",)
    assert found.pixel_mm == 0.3
    assert (found.geometry.source_height, found.geometry.source_width) == (40, 40)


def test_the_input_is_left_as_it_was() -> None:
    pixels = radiograph().astype(np.float32)
    before = pixels.copy()
    prepare(decoded(pixels), (90, 70), WINDOW)
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("inverted", [False, True])
def test_the_range_in_use_counts_and_not_that_of_sixteen_bits(bits: int, inverted: bool) -> None:
    """PadChest stores twelve bits in 16-bit PNG; white is 4095 there, and its contrast is full."""
    ramp = np.linspace(0, 2**bits - 1, 1600).reshape(40, 40).astype(np.uint16)
    middle = 2 ** (bits - 1)
    pictures = {
        (): ramp,
        ("low_contrast",): np.where(ramp < middle, middle, middle + 2 ** (bits - 4) - 1),
        ("clipped",): np.where(ramp < middle, ramp, 2**bits - 1),
    }
    for flags, picture in pictures.items():
        pixels = picture.astype(np.uint16)
        found = prepare(decoded(65535 - pixels if inverted else pixels, 65535.0), (40, 40), WINDOW)
        assert found.flags == flags


def test_a_range_that_the_header_states_counts_as_it_is() -> None:
    faint = np.linspace(0, 300, 1600).reshape(40, 40).astype(np.uint16)
    assert prepare(decoded(faint, 4095.0), (40, 40), WINDOW).flags == ("low_contrast",)
