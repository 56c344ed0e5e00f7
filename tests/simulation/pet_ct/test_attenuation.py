"""The two lines of Carney et al. (2006)."""

import numpy as np
import pytest

from dfsynth.simulation.pet_ct.attenuation import attenuation_per_mm


@pytest.mark.parametrize(
    ("hu", "per_cm"), [(-1000, 0), (-2000, 0), (-800, 0.0192), (0, 0.096), (1000, 0.1491)]
)
def test_coefficients_at_511_kev(hu: float, per_cm: float) -> None:
    assert attenuation_per_mm(np.array([hu])) == pytest.approx(per_cm / 10, abs=1e-7)


def test_the_lines_meet_at_47_hu() -> None:
    found = attenuation_per_mm(np.array([40, 47, 54])) * 10
    np.testing.assert_allclose(np.diff(found) / 7, [9.6e-5, 5.1e-5], rtol=0.05)
