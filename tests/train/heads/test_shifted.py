"""Shifts of pairs: the truth moves with the picture, and stays where only the look changes."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfsynth.datasets import PairImages
from dfsynth.datasets.shifts import APPEARANCES
from dfsynth.preprocess import letterbox, to_grid, to_unit_range
from dfsynth.records import Float32Map, IntensityWindow
from dfsynth.train.heads import HELD_OUT_SHIFTS, SHIFTS, TruePicture, to_model_input

GEOMETRIC: Final = ("tilted", "turned", "cropped", "half_chest", "collimated")
LOOKS: Final = (*APPEARANCES, "inverted")
shapes = st.tuples(st.integers(16, 60), st.integers(16, 60))
seeds = st.integers(0, 2**32 - 1)


def aligned(shape: tuple[int, int], seed: int = 0) -> TruePicture:
    """Blocks of two levels in all four maps: image and truth are equal where they lie alike."""
    blocks = np.random.default_rng(seed).choice([0.2, 0.8], (shape[0] // 4 + 1, shape[1] // 4 + 1))
    pattern = np.kron(blocks, np.ones((4, 4)))[: shape[0], : shape[1]].astype(np.float32)
    return TruePicture(pattern, pattern.copy(), pattern.copy(), pattern > 0.5)


def test_there_are_no_other_kinds() -> None:
    assert {*SHIFTS} == {"none", *GEOMETRIC, *LOOKS}
    assert {*HELD_OUT_SHIFTS} < {*SHIFTS} - {"none"}
    assert {*GEOMETRIC} - {*HELD_OUT_SHIFTS}
    assert {*LOOKS} - {*HELD_OUT_SHIFTS}


@pytest.mark.parametrize("kind", SHIFTS)
@given(shape=shapes, seed=seeds)
def test_all_maps_keep_one_shape_and_their_range(
    kind: str, shape: tuple[int, int], seed: int
) -> None:
    before = aligned(shape)
    found = SHIFTS[kind](before, np.random.default_rng(seed))
    assert {m.shape for m in (found.image, found.clean, found.noisy, found.lung)} == {
        found.image.shape
    }
    assert found.image.dtype == found.clean.dtype == found.noisy.dtype == np.float32
    assert found.lung.dtype == np.bool_
    assert 0 <= found.image.min() <= found.image.max() <= 1
    again = SHIFTS[kind](aligned(shape), np.random.default_rng(seed))
    np.testing.assert_array_equal(found.image, again.image)
    np.testing.assert_array_equal(before.image, aligned(shape).image)


@pytest.mark.parametrize("kind", ["tilted", "turned", "cropped", "half_chest"])
@given(shape=shapes, seed=seeds)
def test_truth_moves_with_the_picture(kind: str, shape: tuple[int, int], seed: int) -> None:
    before = aligned(shape)
    found = SHIFTS[kind](before, np.random.default_rng(seed))
    np.testing.assert_array_equal(found.clean, found.image)
    np.testing.assert_array_equal(found.noisy, found.image)
    ones = np.ones(shape, np.float32)
    whole = SHIFTS[kind](TruePicture(ones, ones, ones, ones > 0), np.random.default_rng(seed))
    # Between two blocks, half of each is either; at the rim of a tilt nothing mixes in.
    certain = (np.abs(found.image - 0.5) > 0.01) & (whole.image > 1 - 1e-6)
    assert certain.mean() > 0.25
    np.testing.assert_array_equal(found.lung[certain], found.image[certain] > 0.5)
    assert found.image.shape != before.image.shape or (found.image != before.image).any()


@pytest.mark.parametrize("kind", LOOKS)
@given(shape=shapes, seed=seeds)
def test_truth_stays_where_only_the_look_changes(
    kind: str, shape: tuple[int, int], seed: int
) -> None:
    before = aligned(shape)
    found = SHIFTS[kind](before, np.random.default_rng(seed))
    for name in ("clean", "noisy", "lung"):
        np.testing.assert_array_equal(getattr(found, name), getattr(before, name))


def test_nothing_is_changed_by_none() -> None:
    before = aligned((20, 30))
    assert SHIFTS["none"](before, np.random.default_rng(0)) is before


def test_the_wrong_polarity_is_the_complement() -> None:
    before = aligned((20, 30))
    found = SHIFTS["inverted"](before, np.random.default_rng(0))
    np.testing.assert_allclose(found.image, 1 - before.image)


@given(shape=shapes, seed=seeds)
def test_a_turn_is_one_of_three(shape: tuple[int, int], seed: int) -> None:
    before = aligned(shape)
    found = SHIFTS["turned"](before, np.random.default_rng(seed))
    turns = [np.rot90(before.image, times) for times in (1, 2, 3)]
    assert sum(np.array_equal(found.image, turn) for turn in turns) == 1


@given(shape=shapes, seed=seeds)
def test_half_a_chest_is_one_side_in_full_height(shape: tuple[int, int], seed: int) -> None:
    before = aligned(shape)
    found = SHIFTS["half_chest"](before, np.random.default_rng(seed)).image
    width = found.shape[1]
    assert 0.4 * shape[1] - 1 <= width <= 0.56 * shape[1]
    sides = (before.image[:, :width], before.image[:, -width:])
    assert any(np.array_equal(found, side) for side in sides)


@given(shape=shapes, seed=seeds)
def test_a_crop_is_a_part_of_the_picture(shape: tuple[int, int], seed: int) -> None:
    """Found again where the pattern, different in each pixel, says that it was."""
    height, width = shape
    numbers = np.arange(height * width).reshape(shape) / (height * width)
    place = numbers.astype(np.float32)
    before = TruePicture(place, place, place, place > 0.5)
    found = SHIFTS["cropped"](before, np.random.default_rng(seed)).image
    top, left = divmod(round(float(found[0, 0]) * height * width), width)
    part = place[top : top + found.shape[0], left : left + found.shape[1]]
    np.testing.assert_array_equal(found, part)
    for kept, whole in zip(found.shape, shape, strict=True):
        assert 0.55 * whole - 1 <= kept <= 0.85 * whole


@given(shape=shapes, seed=seeds)
def test_nothing_is_true_under_the_blades(shape: tuple[int, int], seed: int) -> None:
    before = aligned(shape)
    found = SHIFTS["collimated"](before, np.random.default_rng(seed))
    covered = (found.image == 0) | (found.image == 1)
    for name in ("clean", "noisy", "lung"):
        changed, known = getattr(found, name), getattr(before, name)
        assert not changed[covered].any()
        np.testing.assert_array_equal(changed[~covered], known[~covered])
    np.testing.assert_array_equal(found.image[~covered], before.image[~covered])
    assert len(np.unique(found.image[covered])) <= 1, "one shade"
    rows, columns = np.flatnonzero(~covered.all(1)), np.flatnonzero(~covered.all(0))
    assert not covered[np.ix_(rows, columns)].any(), "a rectangle stays open"
    assert len(rows) >= shape[0] / 2
    assert len(columns) >= shape[1] / 2


def test_a_pair_gives_its_content() -> None:
    shape, content = (20, 24), (slice(2, 18), slice(3, 21))
    rng = np.random.default_rng(0)

    def drawn() -> Float32Map:
        return rng.random(shape, np.float32)

    image, noisy, clean, lung = drawn(), drawn(), drawn(), drawn()
    found = TruePicture.of(PairImages(image, noisy, clean, lung, content=content))
    for one, whole in ((found.image, image), (found.clean, clean), (found.noisy, noisy)):
        np.testing.assert_array_equal(one, whole[content])
    np.testing.assert_array_equal(found.lung, lung[content] > 0.5)
    for lacking in (PairImages(image, noisy, clean), PairImages(image, noisy, None, lung)):
        with pytest.raises(ValueError, match="expected a clean target and a lung mask"):
            TruePicture.of(lacking)


@given(source=st.tuples(st.integers(8, 90), st.integers(8, 90)), seed=st.integers(0, 99))
def test_a_picture_is_letterboxed_and_windowed_anew(source: tuple[int, int], seed: int) -> None:
    grid, window = (32, 48), IntensityWindow(1.0, 99.0)
    image = (0.3 + 0.2 * np.random.default_rng(seed).random(source)).astype(np.float32)
    found = to_model_input(image, grid, window)
    geometry = letterbox(source, grid)
    assert found.geometry == geometry
    assert found.image.shape == grid
    assert found.image.dtype == np.float32
    wanted = to_unit_range(to_grid(image, geometry), window)
    np.testing.assert_array_equal(found.image[geometry.content], wanted)
    outside = np.ones(grid, np.bool_)
    outside[geometry.content] = False
    assert not found.image[outside].any()
    assert (found.pixel_mm, found.flags) == (None, ())
    assert wanted.min() == 0
    assert wanted.max() == 1
