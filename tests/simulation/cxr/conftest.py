"""A chest that was read."""

import numpy as np
import pytest
from read_chest import Chest, dome

from dfsynth.lung_segmentation.network import LungReading


@pytest.fixture
def chest() -> Chest:
    """The lower inner part of the left lung, on the right of the picture, is behind the heart."""
    lungs = dome(60, 38, 45, 22) + dome(60, 90, 45, 22)
    heart = dome(80, 70, 20, 20) > 0
    field = ((lungs > 0) & ~heart).astype(np.float32)
    any_lung = (lungs > 0).astype(np.float32)
    image = np.where(heart, 0.85, 0.75 - 0.4 * lungs).astype(np.float32)
    return Chest(image, LungReading(field, any_lung, 150 * lungs))
