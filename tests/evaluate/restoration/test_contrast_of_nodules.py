"""Contrast of nodules against the lung around them."""

import numpy as np
import pytest

from dfsynth.evaluate.restoration import SIZES, nodule_contrasts, size_of
from dfsynth.evaluate.restoration.contrast import find_surroundings

SIDE = 64


def disc(y: float, x: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.hypot(rows - y, columns - x) <= radius


def labels(*discs: np.ndarray) -> np.ndarray:
    found = np.zeros((SIDE, SIDE), np.float32)
    for number, each in enumerate(discs, 1):
        found[each] = number
    return found


def test_contrast_and_noise_are_those_of_the_drawing() -> None:
    found, rng = labels(disc(32, 32, 6)), np.random.default_rng(0)
    image = 0.4 + 0.1 * (found > 0) + 0.02 * rng.standard_normal(found.shape)
    contrast = nodule_contrasts(image, found)[1]
    assert contrast.contrast == pytest.approx(0.1, abs=0.006)
    assert contrast.cnr == pytest.approx(5.0, rel=0.15)


def test_neither_gain_nor_offset_changes_the_ratio() -> None:
    found, rng = labels(disc(30, 20, 4)), np.random.default_rng(1)
    image = found / 5 + 0.1 * rng.standard_normal(found.shape)
    plain, other = (nodule_contrasts(i, found)[1] for i in (image, 3 * image - 7))
    assert other.cnr == pytest.approx(plain.cnr)
    assert other.contrast == pytest.approx(3 * plain.contrast)


def test_another_nodule_and_what_is_no_lung_are_not_around() -> None:
    found = labels(disc(32, 20, 4), disc(32, 30, 4))
    image = np.where(found == 2, 9.0, 0.0) + (found == 1)
    lung = np.ones((SIDE, SIDE), np.bool_)
    lung[40:] = False
    image[40:] = 50.0
    image[::2, ::2] += 0.01
    contrast = nodule_contrasts(image, found, lung)[1]
    assert contrast.contrast == pytest.approx(1.0, abs=0.01)


def test_what_is_too_small_or_behind_the_heart_is_not_measured() -> None:
    found = labels(disc(10, 10, 0.5), disc(40, 40, 4))
    assert [n.label for n in find_surroundings(found, None)] == [2]
    assert not list(find_surroundings(found, np.zeros((SIDE, SIDE), np.bool_)))
    assert not nodule_contrasts(np.ones((SIDE, SIDE)), np.zeros((SIDE, SIDE), np.uint8))


def test_without_noise_there_is_no_ratio() -> None:
    found = labels(disc(32, 32, 6))
    assert np.isnan(nodule_contrasts(found, found)[1].cnr)


@pytest.mark.parametrize(
    ("diameter", "name"),
    [(4.0, SIZES[0]), (7.99, SIZES[0]), (8.0, SIZES[1]), (15.0, SIZES[2]), (90.0, SIZES[2])],
)
def test_every_diameter_has_one_class(diameter: float, name: str) -> None:
    assert size_of(diameter) == name


def test_a_diameter_that_is_not_known_is_of_no_class() -> None:
    assert size_of(float("nan")) == "unknown"
