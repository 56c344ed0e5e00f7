"""Gas below the diaphragm: the bubble in the stomach, and loops of bowel."""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters, Projection
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.surfaces import Ellipsoid, Shape, Solid, blend

_MERGING_MM2 = 30.0


@dataclass(frozen=True, slots=True)
class Bubble:
    """Gas under a dome: its roof runs along the dome, its lower edge is uneven."""

    chest: Chest
    centre_l: float
    half_mm: float
    depth_mm: float
    """Half its extent along the beam."""
    centre_a: float
    """Depth of its middle, in mm."""
    wall_mm: float
    """Between the lung and the gas."""
    tall_mm: float
    """From the roof down to the lower edge."""
    ripple_mm: float
    """Of the lower edge; next to nothing where gas lies on fluid."""
    phases: tuple[float, float]

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        away = (left - self.centre_l) / self.half_mm
        ahead = torch.full_like(left, self.centre_a)
        roof = self.chest.floor(left, ahead) - self.wall_mm - 0.3 * self.half_mm * away**2
        top = float(self.chest.domes[1].top_s) - self.wall_mm
        uneven = torch.sin(3.1 * away + self.phases[0]) + torch.sin(6.7 * away + self.phases[1])
        low = top - self.tall_mm * (1 - 0.3 * away**4) + self.ripple_mm * uneven
        tall = torch.minimum((roof - up) / 14, (up - low) / 9).clamp(-1, 1)
        share = torch.minimum(tall * (1 - away**2).abs() ** 0.7, 1 - away**2)
        return Solid(torch.full_like(share, self.centre_a), self.depth_mm**2 * share)


@dataclass(frozen=True, slots=True)
class Loop:
    """Neighbouring bulges of one piece of bowel, melted into each other."""

    bulges: tuple[Ellipsoid, ...]

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        return blend([bulge.solid(left, up) for bulge in self.bulges], _MERGING_MM2)


def shape_gas(body: BodyParameters, chest: Chest, rng: np.random.Generator) -> tuple[Shape, ...]:
    """Gas in the stomach's fundus right below the left dome, and in loops further down."""
    found: list[Shape] = []
    dome = chest.domes[1]
    upright = body.projection is not Projection.AP_SUPINE
    if body.stomach_gas_mm:
        half = body.stomach_gas_mm
        found.append(
            Bubble(
                chest,
                centre_l=dome.centre_l * float(rng.uniform(0.7, 1.1)),
                half_mm=half,
                depth_mm=half * float(rng.uniform(0.4, 0.9)) * (1 if upright else 0.6),
                centre_a=dome.centre_a - 4,
                wall_mm=float(rng.uniform(4, 9)),
                tall_mm=half * float(rng.uniform(0.5, 1.3)),
                ripple_mm=float(rng.uniform(0.2, 3.5)),
                phases=(float(rng.uniform(0, 6)), float(rng.uniform(0, 6))),
            )
        )
    for _ in range(body.bowel_loops):
        # Most often the bend of the colon below the spleen, beside the stomach.
        side = 1 if rng.random() < 0.7 else -1
        half = float(rng.uniform(6, 15))
        reach = 0.72 * body.chest_width_mm / 2 - half
        lat = side * float(rng.uniform(0.2, 1.0)) * reach
        below = rng.uniform(24, 110) if side > 0 else rng.uniform(62, 150)
        s = chest.domes[0 if side < 0 else 1].top_s - float(below)
        turn = float(rng.uniform(0, 2 * np.pi))
        bulges = []
        for _ in range(int(rng.integers(2, 6))):
            bulges.append(
                Ellipsoid(
                    (lat, dome.centre_a + float(rng.normal(18, 9)), s),
                    (half * rng.uniform(0.6, 1.1), half * rng.uniform(0.15, 0.8), half * 0.8),
                    float(rng.uniform(-40, 40)),
                )
            )
            turn += float(rng.normal(0, 0.6))
            lat = float(np.clip(lat + 1.1 * half * np.cos(turn), -reach, reach))
            s -= 1.1 * half * abs(float(np.sin(turn)))
        found.append(Loop(tuple(bulges)))
    return tuple(found)
