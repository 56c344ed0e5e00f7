"""What each kind of truth teaches, and that it moves with its picture."""

import numpy as np

from dfsynth.lung_segmentation.network import LungReading
from dfsynth.lung_segmentation.regions import LungRegions
from dfsynth.lung_segmentation.samples import (
    READER_AUGMENTATION,
    Lesson,
    draw_lesson,
    draw_nonsense,
    field_lesson,
    own_lesson,
    simulated_lesson,
    spoil_lesson,
    whole_lesson,
)
from dfsynth.records import IntensityWindow

SIDE = 64
Y, X = np.mgrid[:SIDE, :SIDE]
LEFT, RIGHT = (((Y - 30) / 20) ** 2 + ((X - cx) / 9) ** 2 < 1 for cx in (18, 46))
MASK = LEFT | RIGHT
IMAGE = np.where(MASK, 0.2, 0.8).astype(np.float32)


def test_a_simulated_pair_teaches_everything() -> None:
    labels = (LEFT * 1 + RIGHT * 2).astype(np.uint8)
    lesson = simulated_lesson(IMAGE, labels, MASK * np.float32(90))
    assert np.array_equal(lesson.field > 0, LEFT)
    assert np.array_equal(lesson.any_lung > 0, MASK)
    for name in ("field_unknown", "any_unknown", "thickness_unknown"):
        assert not getattr(lesson, name).any()


def test_a_drawn_field_leaves_open_what_lies_between_and_near() -> None:
    lesson = field_lesson(IMAGE, MASK)
    assert np.array_equal(lesson.field > 0, MASK)
    assert not lesson.field_unknown.any()
    assert lesson.any_unknown[30, 32] == 1, "the heart may hide lung"
    assert lesson.any_unknown[52, 18] == 1, "a dome may hide lung"
    assert not lesson.any_unknown[MASK].any(), "the field is lung"
    assert lesson.any_unknown[62, 2] == 0, "far away there is none"
    assert lesson.thickness_unknown[MASK].all()
    assert lesson.thickness_unknown[62, 2] == 0


def test_a_drawn_whole_lung_says_where_the_field_is_not() -> None:
    lesson = whole_lesson(IMAGE, MASK)
    assert np.array_equal(lesson.any_lung > 0, MASK)
    assert np.array_equal(lesson.field_unknown > 0, MASK)
    assert not lesson.field.any()


def test_no_mask_at_all_is_a_picture_without_lung() -> None:
    lesson = field_lesson(IMAGE, np.zeros_like(MASK))
    assert not lesson.any_unknown.any()


def test_truth_moves_with_the_picture_and_keeps_its_values() -> None:
    lesson = simulated_lesson(IMAGE, MASK.astype(np.uint8), MASK * np.float32(90))
    rng = np.random.default_rng(3)
    for _ in range(5):
        drawn = draw_lesson(lesson, READER_AUGMENTATION, IntensityWindow(), rng)
        assert set(np.unique(drawn.field)) <= {0, 1}
        inside = drawn.field > 0
        assert drawn.image[inside].mean() < drawn.image[~inside & (drawn.thickness_mm == 0)].max()
        assert np.median(drawn.thickness_mm[inside]) == 90
        assert drawn.image.min() >= 0
        assert drawn.image.max() <= 1


def test_nonsense_is_a_picture_and_holds_no_lung() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        lesson = draw_nonsense(SIDE, rng)
        assert lesson.image.shape == (SIDE, SIDE)
        assert np.isfinite(lesson.image).all()
        assert 0 <= lesson.image.min() <= lesson.image.max() <= 1
        for name in Lesson.__slots__[1:]:
            assert not getattr(lesson, name).any()


def test_a_spoilt_radiograph_teaches_no_lung() -> None:
    lesson, rng = field_lesson(IMAGE, MASK), np.random.default_rng(0)
    seen = []
    for _ in range(30):
        spoilt = spoil_lesson(lesson, rng)
        assert not np.array_equal(spoilt.image, IMAGE)
        seen.append(spoilt.image)
        for name in Lesson.__slots__[1:]:
            assert not getattr(spoilt, name).any()
    assert any(np.array_equal(image, 1 - IMAGE) for image in seen)
    assert any(np.array_equal(image, IMAGE[::-1, ::-1]) for image in seen)


def test_a_readers_own_reading_teaches_where_it_is_sure() -> None:
    probability = np.where(LEFT, 0.95, np.where(RIGHT, 0.6, 0.05)).astype(np.float32)
    reading = LungReading(probability, probability, np.full(MASK.shape, 80, np.float32))
    lesson = own_lesson(IMAGE, reading, LungRegions(MASK, MASK))
    assert np.array_equal(lesson.field > 0, MASK)
    assert np.array_equal(lesson.field_unknown > 0, RIGHT)
    assert np.array_equal(lesson.any_unknown > 0, RIGHT)
    assert not lesson.thickness_mm[~MASK].any()
