"""Framing: where places go, alike for every map."""

from dataclasses import replace

import numpy as np
import pytest

from dfsynth.simulation.display.framing import (
    FramingParameters,
    Resampling,
    draw_framing,
    frame_maps,
    frame_matrix,
    framed_pixel_mm,
    open_part,
)

STILL = FramingParameters(1.0, 1.0, 0.0, 0.0, 0.0)


def spot(x: int, y: int, side: int = 101) -> np.ndarray:
    image = np.zeros((side, side), np.float32)
    image[y, x] = 1
    return image


def centre(image: np.ndarray) -> tuple[float, float]:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return float((image * x).sum() / image.sum()), float((image * y).sum() / image.sum())


def framed(image: np.ndarray, parameters: FramingParameters) -> np.ndarray:
    return frame_maps({"map": image}, {}, parameters)["map"]


def test_no_framing_hands_the_maps_on() -> None:
    image = spot(3, 4)
    assert frame_maps({"map": image}, {}, None)["map"] is image
    np.testing.assert_allclose(framed(image, STILL), image, atol=1e-6)
    assert framed_pixel_mm(0.5, None) == 0.5


def test_a_shift_goes_right_and_down() -> None:
    found = framed(spot(50, 50), FramingParameters(1, 1, 0, 0.1, 0.2))
    assert centre(found) == pytest.approx((60.1, 70.2), abs=0.05)


def test_a_rotation_is_counter_clockwise() -> None:
    found = framed(spot(80, 50), FramingParameters(1, 1, 90, 0, 0))
    assert centre(found) == pytest.approx((50, 20), abs=0.1)


def test_zoom_and_stretch_keep_their_meaning() -> None:
    zoomed = FramingParameters(1, 1.25, 0, 0, 0)
    assert centre(framed(spot(70, 50), zoomed)) == pytest.approx((75, 50), abs=0.1)
    assert framed_pixel_mm(1.0, zoomed) == pytest.approx(0.8)
    matrix = frame_matrix((101, 101), FramingParameters(1.21, 1, 0, 0, 0))
    assert matrix[1, 1] / matrix[0, 0] == pytest.approx(1.21)


def test_labels_keep_their_values_and_every_map_moves_alike() -> None:
    parameters = draw_framing("crisp", np.random.default_rng(5))
    disc = (np.hypot(*(np.mgrid[:101, :101] - 50)) < 25).astype(np.float32)
    found = frame_maps(
        {"mask": disc * 2, "image": disc}, {"mask": Resampling(nearest=True)}, parameters
    )
    assert set(np.unique(found["mask"])) == {0.0, 2.0}
    assert ((found["mask"] > 1) == (found["image"] > 0.5)).mean() > 0.99


def test_outside_is_filled_as_asked() -> None:
    image = np.full((50, 50), 7.0, np.float32)
    away = FramingParameters(1, 1, 0, 0.4, 0)
    maps = {"zero": image, "one": image, "edge": image}
    found = frame_maps(maps, {"one": Resampling(fill=1.0), "edge": Resampling(fill=None)}, away)
    assert (found["zero"][0, 0], found["one"][0, 0], found["edge"][0, 0]) == (0, 1, 7)


def test_in_the_bars_there_is_nothing_and_no_truth() -> None:
    ones = np.ones((100, 80), np.float32)
    barred = replace(STILL, bars=(0.1, 0.0, 0.05, 0.3))
    surfaces = {"mask": Resampling(nearest=True, fill=None), "image": Resampling(fill=None)}
    for found in frame_maps({"mask": ones, "image": ones}, surfaces, barred).values():
        assert (found[:70, 8:76] == 1).all()
        assert found.sum() == 70 * 68
    assert open_part((100, 80), barred.bars) == (slice(0, 70), slice(8, 76))


@pytest.mark.parametrize("bars", [(0, 0, 0, 0.3), (0.1, 0, 0.1, 0), (0, 0.12, 0, 0.12)])
def test_a_bar_squeezes_the_content_and_keeps_the_other_side(
    bars: tuple[float, float, float, float],
) -> None:
    matrix = frame_matrix((101, 101), replace(STILL, bars=bars))
    left, top, right, bottom = bars
    assert matrix[0, 0] == pytest.approx(1 - 0.6 * (left + right))
    assert matrix[1, 1] == pytest.approx(1 - 0.6 * (top + bottom))
    first = matrix @ [0, 0, 1]
    assert first[1] == pytest.approx(0.6 * top * 101, abs=1)
    assert first[0] == pytest.approx(0.6 * left * 101, abs=1)


def test_film_radiographs_often_end_above_the_lower_edge() -> None:
    drawn = [draw_framing("film", np.random.default_rng(seed)).bars for seed in range(100)]
    assert 30 < sum(bars[3] > 0 for bars in drawn) < 80
    assert all(0.6 < (1 - b[0] - b[2]) * (1 - b[1] - b[3]) <= 1 for b in drawn)


def test_a_sharp_map_keeps_more_detail_and_never_goes_below_nothing() -> None:
    stripes = np.tile(np.array([0, 0, 4, 4], np.float32), (101, 26))[:, :101]
    moved = FramingParameters(1, 1.07, 2, 0.01, 0)
    found = frame_maps(
        {"linear": stripes, "cubic": stripes}, {"cubic": Resampling(sharp=True)}, moved
    )
    middle = (slice(20, 80), slice(20, 80))
    assert found["cubic"][middle].std() > 1.05 * found["linear"][middle].std()
    assert found["cubic"].min() == 0
