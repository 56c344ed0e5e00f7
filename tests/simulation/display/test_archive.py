"""Shutter, markers and encoding: what an archive adds."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.simulation.display.encoding import (
    EncodingParameters,
    Photometric,
    draw_encoding,
    read_grey,
    store_grey,
)
from dfsynth.simulation.display.markers import (
    Marker,
    MarkerParameters,
    Style,
    burn_markers,
    draw_markers,
)
from dfsynth.simulation.display.shutter import (
    ShutterParameters,
    close_shutter,
    draw_shutter,
    field_opening,
    widen_opening,
)

SQUARE = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
LETTER = Marker("R", 0.1, 0.1, 0.05, 0.15, 0.0, "plain", 0, 1.0)


def test_outside_the_shutter_there_is_nothing_of_the_patient() -> None:
    image = np.random.default_rng(0).uniform(0.2, 0.8, (100, 100)).astype(np.float32)
    found = close_shutter(image, ShutterParameters(SQUARE, 0.0, 0.5))
    np.testing.assert_allclose(found[:8], 0, atol=1e-5)
    np.testing.assert_allclose(found[:, 92:], 0, atol=1e-5)
    np.testing.assert_allclose(found[12:88, 12:88], image[12:88, 12:88], atol=1e-5)


def test_an_opening_beyond_the_image_hides_nothing() -> None:
    wide = ((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1))
    assert (field_opening((40, 60), ShutterParameters(wide, 0, 1)) == 1).all()


def test_most_of_the_image_stays_open() -> None:
    for seed in range(50):
        opening = field_opening((64, 64), draw_shutter(np.random.default_rng(seed)))
        assert opening.mean() > 0.65


@given(st.integers(0, 2**31), st.integers(20, 300), st.integers(20, 300))
def test_a_widened_opening_hides_nothing_of_what_is_kept(
    seed: int, height: int, width: int
) -> None:
    rng = np.random.default_rng(seed)
    parameters = draw_shutter(rng)
    kept = np.zeros((height, width), np.bool_)
    (top, bottom), (left, right) = (np.sort(rng.integers(0, n, 2)) for n in (height, width))
    kept[top : bottom + 1, left : right + 1] = True
    wider = widen_opening(parameters, kept)
    opening = field_opening((height, width), wider)
    assert opening[kept].min() > 0.99
    assert opening.mean() > field_opening((height, width), parameters).mean() - 0.01


def test_an_opening_that_hides_nothing_stays() -> None:
    parameters = ShutterParameters(SQUARE, 0.0, 0.5)
    kept = np.zeros((100, 100), np.bool_)
    assert widen_opening(parameters, kept) is parameters
    kept[20:80, 20:80] = True
    np.testing.assert_allclose(widen_opening(parameters, kept).corners, SQUARE)
    kept[20:80, 5] = True
    moved = np.asarray(widen_opening(parameters, kept).corners)
    assert (moved[[0, 3], 0] < 0.05).all()
    np.testing.assert_allclose(moved[[1, 2], 0], 0.9)
    np.testing.assert_allclose(moved[:, 1], np.asarray(SQUARE)[:, 1])


def test_letters_of_the_side_are_on_their_side() -> None:
    seen = set()
    for seed in range(60):
        side = draw_markers(np.random.default_rng(seed)).markers[0]
        seen.add(side.text)
        assert (side.text == "L") == (side.x > 0.5)
    assert seen == {"L", "R"}


@pytest.mark.parametrize("style", ["plain", "ring", "label"])
@pytest.mark.parametrize("side", [128, 512])
def test_a_letter_has_its_height_and_place(style: Style, side: int) -> None:
    marker = replace(LETTER, x=0.5, y=0.4, style=style)
    image = np.full((side, side), 0.3, np.float32)
    found = burn_markers(image, MarkerParameters((marker,)))
    changed = np.abs(found - image) > 0.1
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert (rows[0] + rows[-1]) / 2 == pytest.approx(0.4 * side, abs=0.02 * side)
    assert (columns[0] + columns[-1]) / 2 == pytest.approx(0.5 * side, abs=0.02 * side)
    assert 0.04 * side <= rows[-1] - rows[0] + 1 <= (0.075 if style == "plain" else 0.17) * side
    assert image.max() == np.float32(0.3)


@pytest.mark.parametrize("place", [(-0.5, 0.5), (0.0, 0.0), (1.0, 1.0), (0.5, 1.4)])
def test_a_letter_may_leave_the_image(place: tuple[float, float]) -> None:
    image = np.zeros((64, 64), np.float32)
    found = burn_markers(image, MarkerParameters((replace(LETTER, x=place[0], y=place[1]),)))
    assert found.shape == image.shape
    assert found.max() <= 1


@given(bits=st.integers(8, 16), inverted=st.booleans())
def test_both_polarities_show_the_same(bits: int, inverted: bool) -> None:
    image = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    photometric: Photometric = "MONOCHROME1" if inverted else "MONOCHROME2"
    parameters = EncodingParameters(bits, photometric, None)
    stored = store_grey(image, parameters)
    assert stored.max() == 2**bits - 1
    assert (stored[0, 0] > stored[-1, -1]) == inverted
    np.testing.assert_allclose(read_grey(stored, parameters), image, atol=0.51 / (2**bits - 1))


def test_compression_changes_little() -> None:
    rng = np.random.default_rng(1)
    image = (np.linspace(0, 1, 64)[None] + rng.normal(0, 0.02, (64, 64))).astype(np.float32)
    parameters = EncodingParameters(8, "MONOCHROME2", 80)
    found = read_grey(store_grey(image, parameters), parameters)
    error = np.abs(found - np.clip(image, 0, 1))
    assert 1e-4 < error.mean() < 0.02


def test_draws_name_both_polarities() -> None:
    drawn = [draw_encoding(np.random.default_rng(seed)) for seed in range(60)]
    assert {one.photometric for one in drawn} == {"MONOCHROME1", "MONOCHROME2"}
    assert {8, 10, 12} == {one.bits for one in drawn}
