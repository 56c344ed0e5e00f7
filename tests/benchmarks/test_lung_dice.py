"""How lung fields are compared."""

import numpy as np
import pytest
from radiographs import Drawing
from simulate_usefulness import dice, to_sample


def test_dice_of_equal_half_and_apart() -> None:
    whole = np.ones((4, 4), bool)
    half = np.zeros((4, 4), bool)
    half[:2] = True
    assert dice(whole, whole) == 1
    assert dice(whole, half) == pytest.approx(2 / 3)
    assert dice(half, ~half) == 0
    assert dice(~whole, ~whole) == 0


def test_hidden_lung_is_no_lung_field() -> None:
    labels = np.zeros((256, 256), np.uint8)
    labels[:, :128] = 1
    labels[:, 128:192] = 2
    pixels = np.random.default_rng(0).random((256, 256), np.float32)
    sample = to_sample(Drawing("a", "a", "phantom", pixels, labels))
    assert sample.field.mean() == pytest.approx(0.5)
    assert sample.any_lung.mean() == pytest.approx(0.75)
