"""The figures of restored geometry, on shapes whose distance is known."""

import numpy as np
from restored_geometry import edge_distance_px, shift_px


def square(left: int) -> np.ndarray:
    mask = np.zeros((64, 64), bool)
    mask[20:44, left : left + 24] = True
    return mask


def test_edges_of_equal_outlines_have_no_distance():
    assert edge_distance_px(square(20), square(20)) == 0


def test_edges_move_by_what_the_sides_across_the_move_do():
    # Of four equal sides two move by three pixels; the others stay on the outline, but for ends.
    found = edge_distance_px(square(20), square(23))
    assert 1.2 < found < 1.8


def test_a_moved_image_has_moved_by_as_much():
    rng = np.random.default_rng(0)
    image = rng.random((64, 64)).astype(np.float32)
    moved = np.roll(image, (3, 4), (0, 1))
    np.testing.assert_allclose(shift_px(image, moved), 5, atol=0.2)
    np.testing.assert_allclose(shift_px(image, image), 0, atol=0.05)
