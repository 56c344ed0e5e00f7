"""One thorax of ellipsoids, segmented once."""

import pytest
from ct_volumes import thorax_hu, volume_of

from dfsynth.simulation.ct import CtLimits, CtThorax, build_thorax


@pytest.fixture(scope="session")
def thorax() -> CtThorax:
    return build_thorax(volume_of(thorax_hu()), CtLimits())
