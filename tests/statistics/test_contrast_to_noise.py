"""Contrast to noise of pixels whose ratio is known."""

import numpy as np
import pytest

from dfsynth.statistics import contrast_to_noise


def test_it_is_worked_out_by_hand() -> None:
    # Means 4 and 1, population variances 2 and 1 (not 4 and 2).
    lung = np.array([4 - 2**0.5, 4 + 2**0.5])
    air = np.array([[0.0, 2.0]])
    assert contrast_to_noise(lung, air) == pytest.approx(3 / 3**0.5)


def test_it_is_undefined_without_noise_or_pixels() -> None:
    flat, one = np.ones(9), np.ones(1)
    assert np.isnan(contrast_to_noise(2 * flat, flat))
    assert np.isnan(contrast_to_noise(one, np.arange(9.0)))
