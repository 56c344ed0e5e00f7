"""Phase retrieval: transmission and visibility by least squares on [1, cos phi, sin phi].

The fringe phase is known to the retrieval, as a scanner's own estimate of it would be if it were
exact. What is left are the errors of the method itself: a fit takes the object for constant while
it turns, and where the phases of its shots lie badly, the change is taken for fringe.
"""

from dataclasses import dataclass
from typing import Final, Self

import torch

from dfsynth.simulation.dark_field_ct.acquisition import Exposure

_LEAST_DETERMINANT: Final = 1e-12
"""Rounding of the normal equations; phases that lie so close determine nothing."""
_LEAST_VISIBILITY: Final = 1e-3
"""Below this a fringe is lost in noise; its logarithm must not be infinite."""


@dataclass(frozen=True, slots=True)
class Fringe:
    """Fitted fringes: `mean` in photons a shot, > 0, and `visibility`, 0.001 to 1, equal shapes."""

    mean: torch.Tensor
    visibility: torch.Tensor


@dataclass(frozen=True, slots=True)
class FringeSums:
    """The normal equations of fringe fits: sums over `count` shots, from which any fit follows.

    `sums` (7, shots, detector_pixels), float64, hold cos, sin, cos², cos sin, I, I cos, I sin.
    Fits over neighbouring shots, over rotations and over both need these sums alone, so that a
    sliding window costs no more than a single fit.
    """

    sums: torch.Tensor
    count: int

    @classmethod
    def of(cls, exposure: Exposure) -> Self:
        """Sums of one rotation: one shot each."""
        return cls(torch.stack(fringe_products(exposure)).double(), 1)

    def over_neighbours(self, shots: int) -> Self:
        """Sums over windows of `shots`, odd, around every shot; a full turn closes on itself.

        Running sums in float64, which lose nothing to cancellation. The windows at the first and
        last shot reach over the seam of the turn, whose angles are neighbours.
        """
        reach = shots // 2
        if reach == 0:
            return self
        turned = torch.cat([self.sums[:, -reach - 1 :], self.sums, self.sums[:, :reach]], dim=1)
        running = turned.cumsum(dim=1)
        return type(self)(running[:, shots:] - running[:, :-shots], self.count * shots)

    def over_turn(self) -> Self:
        """Sums over all shots: one fit (1, detector_pixels) of what does not turn."""
        return type(self)(self.sums.sum(1, keepdim=True), self.count * self.sums.shape[1])

    def fit(self) -> Fringe:
        """Solves every 3 x 3 system in closed form, its mean eliminated first."""
        cos, sin, cos2, cos_sin, counts, counts_cos, counts_sin = (self.sums / self.count).unbind()
        var_cos = cos2 - cos * cos
        var_sin = 1 - cos2 - sin * sin
        covariance = cos_sin - cos * sin
        with_cos = counts_cos - counts * cos
        with_sin = counts_sin - counts * sin
        determinant = (var_cos * var_sin - covariance**2).clamp(min=_LEAST_DETERMINANT)
        of_cos = (var_sin * with_cos - covariance * with_sin) / determinant
        of_sin = (var_cos * with_sin - covariance * with_cos) / determinant
        # Where fewer than half a photon was found in all, there was no more than that.
        mean = (counts - of_cos * cos - of_sin * sin).clamp(min=0.5 / self.count)
        visibility = torch.hypot(of_cos, of_sin) / mean
        return Fringe(mean.float(), visibility.clamp(_LEAST_VISIBILITY, 1).float())


def fringe_products(exposure: Exposure) -> tuple[torch.Tensor, ...]:
    """What `FringeSums` sums, in its order, each (shots, detector_pixels)."""
    cos, sin = exposure.phase_rad.cos(), exposure.phase_rad.sin()
    counts = exposure.counts
    return cos, sin, cos * cos, cos * sin, counts, counts * cos, counts * sin


def to_line_integrals(fringe: Fringe, reference: Fringe) -> torch.Tensor:
    """-ln(V / V_ref) and -ln(mean / mean_ref), (2, shots, detector_pixels), dimensionless."""
    return torch.stack(
        [
            torch.log(reference.visibility / fringe.visibility),
            torch.log(reference.mean / fringe.mean),
        ]
    )
