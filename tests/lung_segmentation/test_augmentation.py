"""Another position, another look: what is drawn stays in its ranges and leaves the truth alone."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.lung_segmentation.augmentation import (
    LungAugmentation,
    add_gas,
    draw_affine,
    randomise_appearance,
    warp,
)
from dfsynth.records import Float32Map

STILL = LungAugmentation(
    rotation_deg=0,
    scale=(1, 1),
    aspect=(1, 1),
    shift=0,
    flip=False,
    log_gamma_sd=0,
    noise_sd=0,
    sharpen=(0, 0),
    border_share=0,
    marks_share=0,
)
MOVING = replace(
    STILL, rotation_deg=10, scale=(0.82, 1.2), aspect=(0.88, 1.14), shift=0.07, flip=True
)


@pytest.fixture
def spot() -> Float32Map:
    """Bright, off the centre of (64, 64)."""
    y, x = np.mgrid[:64, :64]
    return np.exp(-(((y - 22) / 6) ** 2 + ((x - 41) / 6) ** 2) / 2).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_another_appearance_keeps_shape_and_range(spot: Float32Map, seed: int) -> None:
    before = spot.copy()
    changed = randomise_appearance(spot, LungAugmentation(), np.random.default_rng(seed))
    assert changed.shape == spot.shape
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    assert np.array_equal(spot, before)


def test_marks_are_bright_on_the_radiograph(spot: Float32Map) -> None:
    plain, burned = (
        randomise_appearance(spot, replace(STILL, marks_share=s), np.random.default_rng(3))
        for s in (0.0, 1.0)
    )
    assert np.abs(burned - plain).max() > 0.3
    assert (burned >= plain).all()


def test_a_border_hides_a_twelfth_at_most() -> None:
    image = np.random.default_rng(0).uniform(0.25, 0.75, (96, 96)).astype(np.float32)
    bordered = replace(STILL, border_share=1.0)
    levels = set()
    for seed in range(20):
        look = randomise_appearance(image, bordered, np.random.default_rng(seed))
        np.testing.assert_allclose(look[8:-8, 8:-8], image[8:-8, 8:-8], atol=1e-6)
        hidden = np.abs(look - image) > 1e-5
        levels |= set(np.unique(look[hidden]).tolist())
    assert levels == {0.0, 1.0}


def test_an_affine_change_is_about_the_centre() -> None:
    image = np.zeros((65, 65), np.float32)
    image[32, 32] = 1
    turned = replace(MOVING, shift=0)
    for seed in range(6):
        matrix = draw_affine(turned, 65, np.random.default_rng(seed))
        (moved,) = warp([image], matrix)
        assert [int(i) for i in np.unravel_index(moved.argmax(), moved.shape)] == [32, 32]


def test_scale_and_rotation_stay_in_their_ranges() -> None:
    for seed in range(200):
        linear = draw_affine(MOVING, 64, np.random.default_rng(seed))[:, :2]
        stretch = np.linalg.svd(linear, compute_uv=False)
        scale, aspect = np.sqrt(stretch.prod()), stretch.max() / stretch.min()
        assert 0.82 - 1e-9 <= scale <= 1.2 + 1e-9
        assert aspect <= 1.14 + 1e-9 or 1 / aspect >= 0.88 - 1e-9
        assert abs(np.degrees(np.arctan2(-linear[0, 1], linear[1, 1]))) <= 10 + 1e-6


def test_gas_darkens_outside_the_lungs_and_spares_them():
    image = np.full((64, 64), 0.8, np.float32)
    lung = np.zeros((64, 64), np.float32)
    lung[20:50, 10:30] = 1
    darkened = np.zeros((64, 64))
    for seed in range(40):
        drawn = add_gas(image, lung, np.random.default_rng(seed))
        assert drawn.dtype == np.float32
        assert drawn.min() >= 0
        assert np.all(drawn <= image + 1e-6)
        darkened = np.maximum(darkened, image - drawn)
    inner = (slice(26, 44), slice(16, 24))
    assert darkened[inner].max() < 1e-3
    assert darkened[:, 40:].max() > 0.3


def test_gas_is_drawn_from_the_generator_given():
    image, lung = np.full((32, 32), 0.5, np.float32), np.zeros((32, 32), np.float32)
    one, same, other = (add_gas(image, lung, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert np.any(one != other)
