"""An analytic slice: two elliptic lungs in a body, with air around it in the field of view."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf

from dfsynth.evaluate.streaks import SliceTruth

SIDE = 200
PIXEL_MM = 2.0
LUNG_PER_M = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class AnalyticSlice:
    """Masks and truth, and the truth with another blur."""

    lung_mask: NDArray[np.uint8]
    air_mask: NDArray[np.uint8]
    distance: NDArray[np.float64]
    """(y, x), pixels from the lungs' edge, positive inside; exact at the edge."""

    def blurred(self, sigma_px: float) -> NDArray[np.float32]:
        """The lungs with an edge of this Gaussian blur, in 1/m."""
        rise = (1 + erf(self.distance / (np.sqrt(2) * sigma_px))) / 2
        return (LUNG_PER_M * rise).astype(np.float32)

    @property
    def truth(self) -> NDArray[np.float32]:
        """About the blur of pixels that average over their area."""
        return self.blurred(0.3)

    @property
    def known(self) -> SliceTruth:
        return SliceTruth.find(self.truth, self.lung_mask, self.air_mask, PIXEL_MM)


def ellipse_distance(centre_x: float, half_width: float, half_height: float) -> NDArray[np.float64]:
    """To first order at the edge: (1 - q) q / |gradient of q²/2|, q the scaled radius."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    u, v = (x - centre_x) / half_width, y / half_height
    radius = np.maximum(np.hypot(u, v), 1e-6)
    gradient = np.hypot(u / half_width, v / half_height) / radius
    return (1 - radius) / np.maximum(gradient, 1e-6)


@pytest.fixture(scope="session")
def analytic() -> AnalyticSlice:
    distance = np.maximum(ellipse_distance(-34.3, 25.2, 42.1), ellipse_distance(34.7, 26.4, 44.3))
    body = ellipse_distance(0.0, 78.0, 58.0) > 0
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    field = np.hypot(y, x) <= SIDE / 2
    return AnalyticSlice(
        (distance > 0).astype(np.uint8), (field & ~body).astype(np.uint8), distance
    )
