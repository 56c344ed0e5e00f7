"""One thorax of ellipsoids, segmented once."""

import numpy as np
import pytest
from ct_volumes import thorax_hu, volume_of

from dfsynth.simulation.ct import CtLimits, CtThorax, build_thorax


@pytest.fixture(scope="session")
def hu() -> np.ndarray:
    """(z upwards, y to the back, x to the left)."""
    return thorax_hu()


@pytest.fixture(scope="session")
def thorax(hu: np.ndarray) -> CtThorax:
    return build_thorax(volume_of(hu), CtLimits())
