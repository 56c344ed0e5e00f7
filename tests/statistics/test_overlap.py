"""Dice's coefficient of regions."""

import numpy as np
import pytest

from dfsynth.statistics import dice


def test_dice_of_equal_half_and_apart() -> None:
    whole = np.ones((4, 4), bool)
    half = np.zeros((4, 4), bool)
    half[:2] = True
    assert dice(whole, whole) == 1
    assert dice(whole, half) == pytest.approx(2 / 3)
    assert dice(half, ~half) == 0
    assert dice(~whole, ~whole) == 0
