"""Letterboxing and its inverse: no pixel moves, mirrors or leaves the grid."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dfsynth.preprocess import letterbox, to_grid, to_source

SIDES = st.integers(1, 100_000)
SIZES = st.tuples(SIDES, SIDES)
SMALL = st.tuples(st.integers(24, 160), st.integers(24, 160))
MIDDLING = st.tuples(st.integers(60, 160), st.integers(60, 160))


@settings(deadline=None)
@given(SIZES, SIZES)
def test_the_whole_image_lies_inside_the_grid(
    source: tuple[int, int], grid: tuple[int, int]
) -> None:
    g = letterbox(source, grid)
    scale = min(grid[0] / source[0], grid[1] / source[1])
    # round(h · scale) × round(w · scale), at least one each.
    assert g.height == max(round(source[0] * scale), 1)
    assert g.width == max(round(source[1] * scale), 1)
    # Integer offsets of half the rest, floored.
    assert g.top == (grid[0] - g.height) // 2
    assert g.left == (grid[1] - g.width) // 2
    assert 0 <= g.top <= g.top + g.height <= grid[0]
    assert 0 <= g.left <= g.left + g.width <= grid[1]
    # It fills the grid along one axis.
    assert g.height == grid[0] or g.width == grid[1]


@settings(deadline=None)
@given(SIZES, SIZES)
def test_both_axes_have_one_scale_but_for_rounding(
    source: tuple[int, int], grid: tuple[int, int]
) -> None:
    g = letterbox(source, grid)
    scale = min(grid[0] / source[0], grid[1] / source[1])
    for side, found in ((source[0], g.scale_y), (source[1], g.scale_x)):
        # Half a grid pixel over the image, or what the least width of one pixel adds.
        assert abs(found - scale) * side <= 1 + 1e-9
    assert (g.source_height, g.source_width) == source
    assert (g.grid_height, g.grid_width) == grid
    assert g.content == (slice(g.top, g.top + g.height), slice(g.left, g.left + g.width))


@pytest.mark.parametrize(
    ("source", "grid", "top", "left", "height", "width"),
    [
        ((1024, 1024), (256, 256), 0, 0, 256, 256),
        ((2500, 2048), (256, 256), 0, 23, 256, 210),
        ((2048, 2500), (256, 256), 23, 0, 210, 256),
        ((947, 956), (947, 956), 0, 0, 947, 956),
        ((100, 100), (947, 956), 0, 4, 947, 947),
        ((1, 4096), (256, 256), 127, 0, 1, 256),
        # Three pixels of rest: one above, two below.
        ((253, 256), (256, 256), 1, 0, 253, 256),
    ],
)
def test_known_cases(
    source: tuple[int, int], grid: tuple[int, int], top: int, left: int, height: int, width: int
) -> None:
    g = letterbox(source, grid)
    assert (g.top, g.left, g.height, g.width) == (top, left, height, width)


@pytest.mark.parametrize(
    ("source", "grid"), [((0, 5), (8, 8)), ((5, 5), (8, 0)), ((-1, 5), (8, 8))]
)
def test_sizes_without_pixels_are_refused(source: tuple[int, int], grid: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="at least one pixel"):
        letterbox(source, grid)


def smooth(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """An image without detail below a third of its side."""
    rng = np.random.default_rng(seed)
    y, x = (np.arange(side) / side for side in shape)
    image = np.zeros(shape)
    for fy in range(3):
        for fx in range(3):
            image += rng.normal() * np.outer(np.cos(np.pi * fy * y), np.cos(np.pi * fx * x))
    return (image / np.abs(image).max()).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(SMALL, SMALL, st.integers(0, 2**32))
def test_a_smooth_image_survives_the_round_trip(
    source: tuple[int, int], grid: tuple[int, int], seed: int
) -> None:
    image = smooth(source, seed)
    geometry = letterbox(source, grid)
    padded = np.full(grid, 50.0, np.float32)
    padded[geometry.content] = to_grid(image, geometry)
    back = to_source(padded, geometry)
    assert back.shape == source
    assert back.dtype == np.float32
    # A pixel of the coarser of both grids, along a slope of at most 2 π over the side.
    coarse = min(*source, geometry.height, geometry.width)
    error = np.abs(back - image)
    assert error.max() < 8 / coarse
    inner = error[source[0] // 8 : -source[0] // 8, source[1] // 8 : -source[1] // 8]
    assert inner.max() < max(4 / coarse, 40 / coarse**2)


@settings(deadline=None, max_examples=40)
@given(MIDDLING, MIDDLING, st.floats(0.35, 0.65), st.floats(0.35, 0.65))
def test_a_point_lands_at_source_times_scale_plus_offset(
    source: tuple[int, int], grid: tuple[int, int], share_y: float, share_x: float
) -> None:
    """In pixel edges: the centre of pixel (0, 0) lies at (0.5, 0.5)."""
    geometry = letterbox(source, grid)
    at = (share_y * source[0], share_x * source[1])
    padded = np.zeros(grid, np.float32)
    padded[geometry.content] = to_grid(spot(source, at), geometry)
    expected = (
        at[0] * geometry.scale_y + geometry.top,
        at[1] * geometry.scale_x + geometry.left,
    )
    assert centroid(padded) == pytest.approx(expected, abs=0.05)


@settings(deadline=None, max_examples=40)
@given(MIDDLING, MIDDLING, st.floats(0.35, 0.65), st.floats(0.35, 0.65))
def test_a_point_of_a_map_goes_back_to_the_sources_pixels(
    source: tuple[int, int], grid: tuple[int, int], share_y: float, share_x: float
) -> None:
    geometry = letterbox(source, grid)
    at = (geometry.top + share_y * geometry.height, geometry.left + share_x * geometry.width)
    reach = (geometry.height, geometry.width)
    found = centroid(to_source(spot(grid, at, reach), geometry))
    expected = (
        (at[0] - geometry.top) / geometry.scale_y,
        (at[1] - geometry.left) / geometry.scale_x,
    )
    tolerance = 0.05 / min(geometry.scale_y, geometry.scale_x, 1)
    assert found == pytest.approx(expected, abs=tolerance)


def spot(
    shape: tuple[int, int], at: tuple[float, float], reach: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """A round spot about a place in pixel edges, gone well before the border."""
    height, width = reach or shape
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    across = ((y - at[0]) / (height / 14)) ** 2 + ((x - at[1]) / (width / 14)) ** 2
    return np.exp(-across / 2).astype(np.float32)


def centroid(image: NDArray[np.float32]) -> tuple[float, float]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    weight = image.astype(np.float64)
    total = weight.sum()
    return float((y * weight).sum() / total), float((x * weight).sum() / total)


@pytest.mark.parametrize("grid", [(32, 32), (48, 20), (300, 256)])
def test_the_orientation_stays(grid: tuple[int, int]) -> None:
    image = np.zeros((100, 80), np.uint8)
    image[5:25, 50:70] = 200  # above, to the right
    geometry = letterbox(image.shape, grid)
    content = to_grid(image, geometry)
    quarters = {
        (row, column): float(
            content[
                row * geometry.height // 2 : (row + 1) * geometry.height // 2,
                column * geometry.width // 2 : (column + 1) * geometry.width // 2,
            ].mean()
        )
        for row in (0, 1)
        for column in (0, 1)
    }
    assert max(quarters, key=lambda q: quarters[q]) == (0, 1)
    assert quarters[1, 0] == quarters[1, 1] == 0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("grid", [(256, 256), (31, 77), (1, 1)])
def test_means_and_ranges_are_kept(dtype: type[np.generic], grid: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    image = cv2.blur(rng.integers(20, 230, (120, 90)).astype(np.float32), (5, 5)).astype(dtype)
    content = to_grid(image, letterbox(image.shape, grid))
    assert content.dtype == np.float32
    assert image.min() - 1e-3 <= content.min() <= content.max() <= image.max() + 1e-3
    assert content.mean() == pytest.approx(image.mean(), rel=5e-3)


def test_averages_are_not_rounded_to_grey_levels() -> None:
    image = np.zeros((64, 64), np.uint8)
    image[:, ::2] = 1
    content = to_grid(image, letterbox((64, 64), (16, 16)))
    np.testing.assert_allclose(content, 0.5, atol=1e-6)


def test_fine_texture_does_not_alias() -> None:
    y, x = np.mgrid[:512, :512]
    image = (((x + y) % 2) * 255).astype(np.uint8)
    content = to_grid(image, letterbox((512, 512), (200, 200)))
    assert np.abs(content - 127.5).max() < 26


def test_the_same_size_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 65535, (40, 30)).astype(np.uint16)
    geometry = letterbox((40, 30), (40, 30))
    assert np.array_equal(to_grid(image, geometry), image)
    assert np.array_equal(to_source(image.astype(np.float32), geometry), image)


def test_padding_never_leaks_into_the_sources_pixels() -> None:
    geometry = letterbox((100, 60), (64, 64))
    grid_map = np.full((64, 64), 1e6, np.float32)
    grid_map[geometry.content] = 3.0
    np.testing.assert_allclose(to_source(grid_map, geometry), 3.0, rtol=1e-6)
