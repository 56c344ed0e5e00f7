"""Blur of heart and diaphragm: where it is, where it is not."""

import numpy as np
import pytest

from dfsynth.simulation.display.motion_blur import MotionBlurParameters, blur_moving_tissue


def stripes(side: int = 128) -> np.ndarray:
    rows = np.arange(side)[:, None].repeat(side, 1)
    return (100 + 40 * (rows // 4 % 2)).astype(np.float32)


def test_what_does_not_move_is_not_blurred() -> None:
    image = stripes()
    np.testing.assert_array_equal(blur_moving_tissue(image, 1.0, MotionBlurParameters(0, 0)), image)
    np.testing.assert_array_equal(
        blur_moving_tissue(image, 10.0, MotionBlurParameters(0.5, 0.5)), image
    )


def test_the_diaphragm_moves_along_z_in_the_lower_half_alone() -> None:
    image = stripes()
    found = blur_moving_tissue(image, 1.0, MotionBlurParameters(0, 2))
    np.testing.assert_array_equal(found[:56], image[:56])
    assert found[100:120].std() < 0.7 * image[100:120].std()
    np.testing.assert_allclose(
        blur_moving_tissue(image.T, 1.0, MotionBlurParameters(0, 2)), image.T, rtol=1e-5
    )


def test_the_heart_is_blurred_and_the_rest_less_with_distance() -> None:
    image = stripes()
    found = blur_moving_tissue(image, 1.0, MotionBlurParameters(2, 0))
    change = np.abs(found - image)
    assert change[76:84, 68:76].mean() > 5 * change[:8, :8].mean()
    assert found.mean() == pytest.approx(image.mean(), rel=1e-3)
