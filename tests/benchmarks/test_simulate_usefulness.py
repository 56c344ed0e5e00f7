"""What the lung network of the benchmark is trained on."""

import numpy as np
import pytest
from radiographs import LabelledImage
from simulate_usefulness import to_sample


def test_hidden_lung_is_no_lung_field() -> None:
    labels = np.zeros((256, 256), np.uint8)
    labels[:, :128] = 1
    labels[:, 128:192] = 2
    pixels = np.random.default_rng(0).random((256, 256), np.float32)
    sample = to_sample(LabelledImage("a", "a", "phantom", pixels, labels))
    assert sample.field.mean() == pytest.approx(0.5)
    assert sample.any_lung.mean() == pytest.approx(0.75)
