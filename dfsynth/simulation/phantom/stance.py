"""How a body stands in front of the beam: the way from its own frame into the world.

A turn about the long axis keeps coronal planes simple: in the plane y the body's l grows
linearly with x, and a solid's depth interval stays one. Leaning and bowing are shears along
the long axis, so volumes do not change.
"""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters, Projection


@dataclass(frozen=True, slots=True)
class Stance:
    """l' = l + bow(s), a' = a + lean(s); then x = l' cos − a' sin and y = ±(l' sin + a' cos)."""

    sine: float
    """Of the turn about the long axis."""
    cosine: float
    """Of the same turn."""
    facing: int
    """1 where the chest faces the detector, −1 where it faces the source."""
    lean: float
    """a' per s."""
    roll: float
    """l' per s."""
    bow_mm: float
    bow_phase: float
    """Phase of the bow at s = 0, in rad."""
    bow_period_mm: float

    def bow(self, up: torch.Tensor) -> torch.Tensor:
        """Sideways shift of the body at s = `up` of any shape, both in mm."""
        wave = torch.sin(2 * np.pi * up / self.bow_period_mm + self.bow_phase)
        return self.roll * up + self.bow_mm * wave

    def place(self, points: torch.Tensor) -> torch.Tensor:
        """World coordinates (n, 3) as x, y, z of body points (n, 3) as l, a, s."""
        left, forward, up = points.unbind(-1)
        left, forward = left + self.bow(up), forward + self.lean * up
        x = left * self.cosine - forward * self.sine
        y = self.facing * (left * self.sine + forward * self.cosine)
        return torch.stack([x, y, up], dim=-1)


def take_stance(body: BodyParameters) -> Stance:
    """Works out the stance of a body from what was drawn of it."""
    rng = np.random.default_rng([body.seed, 4])
    turn = np.deg2rad(body.rotation_deg)
    facing = 1 if body.projection is Projection.PA else -1
    return Stance(
        sine=float(np.sin(turn)),
        cosine=float(np.cos(turn)),
        facing=facing,
        lean=facing * float(np.tan(np.deg2rad(body.lean_deg))),
        roll=float(np.tan(np.deg2rad(body.roll_deg))),
        bow_mm=body.scoliosis_mm,
        bow_phase=float(rng.uniform(0, 2 * np.pi)),
        bow_period_mm=float(rng.uniform(420, 700)),
    )
