"""Two lungs side by side, or one sentence why not."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from segmented_chest import SIDE, WHOLE, Chest, dome

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.lung_segmentation.regions import (
    LungRegions,
    NotAChestRadiograph,
    clean_outline,
    is_plausible,
    locate_lungs,
    separate_lungs,
)
from dfsynth.records import Float32Map


def locate(chest: Chest) -> LungRegions:
    return locate_lungs(chest.image, chest.prediction, WHOLE)


def read(field: Float32Map) -> LungPrediction:
    return LungPrediction(field, field, 100 * field)


def test_a_chest_has_its_field_and_its_hidden_lung(chest: Chest) -> None:
    regions = locate(chest)
    assert (regions.field != (chest.prediction.field > 0.5)).mean() < 0.005
    assert (regions.any_lung != (chest.prediction.any_lung > 0.5)).mean() < 0.01
    assert not (regions.field & ~regions.any_lung).any()
    assert np.array_equal(regions.labels == 1, regions.field)
    assert np.array_equal(regions.labels > 0, regions.any_lung)


def test_islands_are_no_lung(chest: Chest) -> None:
    field, any_lung = chest.prediction.field.copy(), chest.prediction.any_lung.copy()
    field[118:123, 60:65] = 1
    any_lung[112:126, 55:70] = 1
    regions = locate(replace(chest, prediction=LungPrediction(field, any_lung, any_lung)))
    assert not regions.any_lung[112:].any()


def test_holes_in_a_lung_are_lung(chest: Chest) -> None:
    field = chest.prediction.field.copy()
    field[50:54, 36:40] = 0
    assert clean_outline(field)[52, 38]


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0])
def test_a_blank_image_is_refused_whatever_is_read(chest: Chest, level: float) -> None:
    blank = np.full((SIDE, SIDE), level, np.float32)
    with pytest.raises(NotAChestRadiograph, match="blank"):
        locate_lungs(blank, chest.prediction, WHOLE)


def test_padding_does_not_hide_that_an_image_is_blank(chest: Chest) -> None:
    padded = np.zeros((SIDE, SIDE), np.float32)
    padded[:, 20:100] = 1
    with pytest.raises(NotAChestRadiograph, match="blank"):
        locate_lungs(padded, chest.prediction, (slice(0, SIDE), slice(20, 100)))


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (np.zeros((SIDE, SIDE), np.float32), "take 0% of the image"),
        (np.ones((SIDE, SIDE), np.float32), "take 100% of the image"),
        ((dome(64, 64, 40, 30) > 0).astype(np.float32), "two lungs of comparable size"),
        (
            ((dome(60, 38, 45, 22) + dome(60, 90, 12, 9)) > 0).astype(np.float32),
            r"two lungs of comparable size, found \d+% and \d+% of the lung area$",
        ),
        (
            ((dome(34, 64, 22, 40) + dome(94, 64, 22, 40)) > 0).astype(np.float32),
            "not side by side",
        ),
        (
            np.asarray(cv2.GaussianBlur(dome(60, 36, 50, 26) + dome(60, 92, 50, 26), (0, 0), 9)),
            "pixels that may or may not be lung come to",
        ),
    ],
    ids=["none", "all", "one", "unequal", "stacked", "vague"],
)
def test_what_is_no_pair_of_lungs_is_refused(chest: Chest, field: Float32Map, why: str) -> None:
    with pytest.raises(NotAChestRadiograph, match=why) as caught:
        locate_lungs(chest.image, read(field), WHOLE)
    assert "\n" not in str(caught.value)


def test_lungs_that_a_bridge_joins_are_parted(chest: Chest) -> None:
    field = chest.prediction.field.copy()
    field[40:44, 38:90] = 1
    assert cv2.connectedComponents(field.astype(np.uint8))[0] == 2
    regions = locate(replace(chest, prediction=LungPrediction(field, field, 100 * field)))
    count, _, stats, _ = cv2.connectedComponentsWithStats(regions.field.astype(np.uint8))
    assert count == 3
    assert stats[1:, cv2.CC_STAT_AREA].min() > 1000
    assert not regions.field[40:44, 64].any()


def test_lungs_that_are_apart_stay_as_they_are(chest: Chest) -> None:
    assert separate_lungs(chest.prediction.field) is chest.prediction.field


def test_one_lung_is_not_cut_in_two() -> None:
    lone = (dome(64, 64, 40, 30) > 0).astype(np.float32)
    assert separate_lungs(lone) is lone


def test_no_lung_lies_in_the_padding(chest: Chest) -> None:
    content = (slice(30, SIDE), slice(0, SIDE))
    regions = locate_lungs(chest.image, chest.prediction, content)
    assert chest.prediction.field[:30].any()
    assert not regions.any_lung[:30].any()


def test_a_plausible_outline_has_two_clear_lungs(chest: Chest) -> None:
    field = chest.prediction.field
    assert is_plausible(clean_outline(field), field)
    assert not is_plausible(dome(64, 64, 40, 30) > 0, dome(64, 64, 40, 30))
    vague = np.asarray(cv2.GaussianBlur(field, (0, 0), 8), np.float32)
    assert not is_plausible(clean_outline(vague), vague)
