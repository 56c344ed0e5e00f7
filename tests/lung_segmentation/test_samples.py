"""What each kind of truth supervises, and that it moves with its image."""

import numpy as np

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.lung_segmentation.regions import LungRegions
from dfsynth.lung_segmentation.samples import (
    TRAINING_AUGMENTATION,
    LungSample,
    augment_sample,
    corrupt_sample,
    draw_non_radiograph,
    lung_field_sample,
    pseudo_labelled_sample,
    simulated_sample,
    whole_lung_sample,
)
from dfsynth.records import IntensityWindow

SIDE = 64
Y, X = np.mgrid[:SIDE, :SIDE]
LEFT, RIGHT = (((Y - 30) / 20) ** 2 + ((X - cx) / 9) ** 2 < 1 for cx in (18, 46))
MASK = LEFT | RIGHT
IMAGE = np.where(MASK, 0.2, 0.8).astype(np.float32)


def test_a_simulated_pair_supervises_everything() -> None:
    labels = (LEFT * 1 + RIGHT * 2).astype(np.uint8)
    sample = simulated_sample(IMAGE, labels, MASK * np.float32(90))
    assert np.array_equal(sample.field > 0, LEFT)
    assert np.array_equal(sample.any_lung > 0, MASK)
    for name in ("field_unknown", "any_unknown", "thickness_unknown"):
        assert not getattr(sample, name).any()


def test_a_drawn_field_leaves_open_what_lies_between_and_near() -> None:
    sample = lung_field_sample(IMAGE, MASK)
    assert np.array_equal(sample.field > 0, MASK)
    assert not sample.field_unknown.any()
    assert sample.any_unknown[30, 32] == 1, "the heart may hide lung"
    assert sample.any_unknown[52, 18] == 1, "a dome may hide lung"
    assert not sample.any_unknown[MASK].any(), "the field is lung"
    assert sample.any_unknown[62, 2] == 0, "far away there is none"
    assert sample.thickness_unknown[MASK].all()
    assert sample.thickness_unknown[62, 2] == 0


def test_a_drawn_whole_lung_says_where_the_field_is_not() -> None:
    sample = whole_lung_sample(IMAGE, MASK)
    assert np.array_equal(sample.any_lung > 0, MASK)
    assert np.array_equal(sample.field_unknown > 0, MASK)
    assert not sample.field.any()


def test_no_mask_at_all_is_an_image_without_lung() -> None:
    sample = lung_field_sample(IMAGE, np.zeros_like(MASK))
    assert not sample.any_unknown.any()


def test_truth_moves_with_the_image_and_keeps_its_values() -> None:
    sample = simulated_sample(IMAGE, MASK.astype(np.uint8), MASK * np.float32(90))
    rng = np.random.default_rng(3)
    for _ in range(5):
        drawn = augment_sample(sample, TRAINING_AUGMENTATION, IntensityWindow(), rng)
        assert set(np.unique(drawn.field)) <= {0, 1}
        inside = drawn.field > 0
        assert drawn.image[inside].mean() < drawn.image[~inside & (drawn.thickness_mm == 0)].max()
        assert np.median(drawn.thickness_mm[inside]) == 90
        assert drawn.image.min() >= 0
        assert drawn.image.max() <= 1


def test_a_non_radiograph_is_an_image_and_holds_no_lung() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        sample = draw_non_radiograph(SIDE, rng)
        assert sample.image.shape == (SIDE, SIDE)
        assert np.isfinite(sample.image).all()
        assert 0 <= sample.image.min() <= sample.image.max() <= 1
        for name in LungSample.__slots__[1:]:
            assert not getattr(sample, name).any()


def test_a_corrupted_radiograph_has_no_lung() -> None:
    sample, rng = lung_field_sample(IMAGE, MASK), np.random.default_rng(0)
    seen = []
    for _ in range(30):
        corrupted = corrupt_sample(sample, rng)
        assert not np.array_equal(corrupted.image, IMAGE)
        seen.append(corrupted.image)
        for name in LungSample.__slots__[1:]:
            assert not getattr(corrupted, name).any()
    assert any(np.array_equal(image, 1 - IMAGE) for image in seen)
    assert any(np.array_equal(image, IMAGE[::-1, ::-1]) for image in seen)


def test_the_networks_own_prediction_supervises_where_it_is_sure() -> None:
    probability = np.where(LEFT, 0.95, np.where(RIGHT, 0.6, 0.05)).astype(np.float32)
    prediction = LungPrediction(probability, probability, np.full(MASK.shape, 80, np.float32))
    sample = pseudo_labelled_sample(IMAGE, prediction, LungRegions(MASK, MASK))
    assert np.array_equal(sample.field > 0, MASK)
    assert np.array_equal(sample.field_unknown > 0, RIGHT)
    assert np.array_equal(sample.any_unknown > 0, RIGHT)
    assert not sample.thickness_mm[~MASK].any()
