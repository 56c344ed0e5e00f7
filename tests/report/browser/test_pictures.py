"""Maps for a page: what is read from them is as near as it says."""

import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dfsynth.report.browser import GalleryMap, encode_maps, encode_strip

GREY = GalleryMap("attenuation", "Attenuation", "grey value", "gray", 0.0, 1.0, 126)
FINE = GalleryMap("dark_field", "Dark-field", "1", "cividis", 0.0, 0.6)


def unpack(script: bytes) -> list[Any]:
    found = json.loads(script.decode().removeprefix("dfsynthReport.takeMaps(").removesuffix(");\n"))
    return found["maps"]


def levels_of(packed: dict[str, Any]) -> np.ndarray:
    raw = np.frombuffer(base64.b64decode(packed["webp"]), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    assert image is not None
    assert (image[..., 0] == image[..., 2]).all()
    return image[..., 0].astype(np.float64)


@pytest.mark.parametrize("kind", [GREY, FINE])
@given(values=arrays(np.float32, (9, 7), elements=st.floats(-50, 50, width=32)))
def test_values_are_read_to_half_a_step(kind: GalleryMap, values: np.ndarray) -> None:
    (packed,) = unpack(encode_maps(3, [values], [kind]))
    step = (packed["high"] - packed["low"]) / packed["steps"]
    assert packed["steps"] == kind.levels
    found = packed["low"] + (levels_of(packed) - 1) * step
    np.testing.assert_allclose(found, values, atol=0.5 * step + 1e-5)


def test_what_is_not_finite_is_level_0_and_nothing_else_is() -> None:
    values = np.array([[np.nan, 1.0], [np.inf, 2.0]], np.float32)
    (packed,) = unpack(encode_maps(0, [values], [FINE]))
    np.testing.assert_array_equal(levels_of(packed) == 0, ~np.isfinite(values))


def test_large_maps_are_averaged_and_say_their_size() -> None:
    values = np.linspace(0, 1, 1024 * 600, dtype=np.float32).reshape(1024, 600)
    (packed,) = unpack(encode_maps(0, [values], [FINE]))
    assert (packed["height"], packed["width"]) == (512, 300)
    assert levels_of(packed).shape == (512, 300)


def test_a_map_that_is_not_stored_is_null() -> None:
    values = np.zeros((4, 4), np.float32)
    assert unpack(encode_maps(0, [None, values], [GREY, FINE]))[0] is None


def test_a_strip_shows_each_map_on_its_scale() -> None:
    flat = np.full((50, 40), 0.6, np.float32)
    data = np.frombuffer(encode_strip([None, flat, flat], [GREY, GREY, FINE]), np.uint8)
    strip = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert strip is not None
    height, width = strip.shape[:2]
    assert (height, width) == (144, 3 * 115 + 4)
    left, middle, right = (strip[height // 2, x] for x in (57, 115 + 2 + 57, 2 * 117 + 57))
    assert max(left) < 50
    np.testing.assert_allclose(middle, 153, atol=4)
    # The last colour of cividis, yellow, as BGR.
    np.testing.assert_allclose(right, [70, 233, 254], atol=14)
