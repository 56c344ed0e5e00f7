"""Framing: where places go, alike for every map."""

import numpy as np
import pytest

from dfsynth.simulate.display.framing import (
    FramingParameters,
    Surface,
    draw_framing,
    frame_maps,
    frame_matrix,
    framed_pixel_mm,
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
    parameters = draw_framing(np.random.default_rng(5))
    disc = (np.hypot(*(np.mgrid[:101, :101] - 50)) < 25).astype(np.float32)
    found = frame_maps(
        {"mask": disc * 2, "image": disc}, {"mask": Surface(nearest=True)}, parameters
    )
    assert set(np.unique(found["mask"])) == {0.0, 2.0}
    assert ((found["mask"] > 1) == (found["image"] > 0.5)).mean() > 0.99


def test_outside_is_filled_as_asked() -> None:
    image = np.full((50, 50), 7.0, np.float32)
    away = FramingParameters(1, 1, 0, 0.4, 0)
    maps = {"zero": image, "one": image, "edge": image}
    found = frame_maps(maps, {"one": Surface(fill=1.0), "edge": Surface(fill=None)}, away)
    assert (found["zero"][0, 0], found["one"][0, 0], found["edge"][0, 0]) == (0, 1, 7)
