"""The space that the lungs fill: inner wall of the rib cage, apices, domes of the diaphragm.

All functions take points of the body's own frame (l to the left, a forward, s up; mm) in shapes
that broadcast against each other.
"""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.surfaces import Curve

# Fractions of the way from the apex (0) down to the costophrenic angle (1).
_LEVELS = np.array([-0.25, -0.08, 0.0, 0.07, 0.17, 0.32, 0.5, 0.68, 0.84, 1.0, 1.25, 1.7])
_WIDTH = np.array([0.36, 0.40, 0.49, 0.65, 0.79, 0.89, 0.94, 0.975, 1.0, 1.0, 0.97, 0.95])
_BACK = np.array([0.40, 0.46, 0.56, 0.70, 0.85, 0.96, 1.0, 1.0, 0.98, 0.93, 0.84, 0.72])
_FRONT = np.array([-0.1, -0.08, 0.02, 0.16, 0.36, 0.60, 0.80, 0.94, 1.0, 1.0, 0.98, 0.98])
_RIM = 0.985
"""Where a dome's fall would turn vertical, it goes on with the slope it has here."""


@dataclass(frozen=True, slots=True)
class _Dome:
    """One half of the diaphragm: an asymmetric cap over the cage's cross-section."""

    centre_l: float
    centre_a: float
    top_s: float
    inner_mm: float
    """From the centre to the midline."""
    outer_mm: float
    """To the chest wall on the side."""
    back_mm: float
    front_mm: float
    falls_mm: tuple[float, float, float, float]
    """How far the cap falls towards the midline, the side, the back and the front."""
    flatness: float
    """0 for a paraboloid, 1 for a cap that falls at its rim alone."""


@dataclass(frozen=True, slots=True)
class Chest:
    """Inner surface of one body's chest."""

    apex_s: float
    """Of the higher lung."""
    base_s: float
    """Costophrenic angle, about."""
    width: Curve
    """Half the inner width."""
    front: Curve
    """Depth of the inner surface behind the breast bone."""
    back: Curve
    """Depth of the gutters beside the spine."""
    front_roundness: float
    """Exponent of the cross-section's front, 2 for an ellipse."""
    back_roundness: float
    """The same of its back."""
    domes: tuple[_Dome, _Dome]
    """Right and left."""
    apices: tuple[tuple[float, float, float], tuple[float, float, float]]
    """(l, a, s) of the right and the left apex."""
    apex_width: float
    """Width of the upper rib cage over its usual one."""
    ripple_mm: float
    ripple_phases: tuple[float, ...]

    def level(self, fraction: float) -> float:
        """s at a fraction of the way from the apex down to the costophrenic angle."""
        return self.apex_s - fraction * (self.apex_s - self.base_s)

    def widest_a(self, up: torch.Tensor) -> torch.Tensor:
        """Depth in mm at which the cross-section is widest, at s = `up` of any shape."""
        back = self.back(up)
        return back + 0.46 * (self.front(up) - back)

    def wall(self, left: torch.Tensor, up: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Depths in mm of the back and the front wall, of the shape of `left` and `up` together.

        Outside the cage the front lies behind the back.
        """
        across = left.abs() / self.width(up)
        middle = self.widest_a(up)
        inside = (1 - across).clamp_min(0)
        across = 1 - inside
        back = (1 - across**self.back_roundness).clamp_min(0) ** (1 / self.back_roundness)
        front = (1 - across**self.front_roundness).clamp_min(0) ** (1 / self.front_roundness)
        # Half a millimetre of less than nothing, so that there is no lung at all outside.
        none = 0.5 * (inside <= 0)
        return (
            middle - (middle - self.back(up)) * back + none,
            middle + (self.front(up) - middle) * front - none,
        )

    def floor(self, left: torch.Tensor, forward: torch.Tensor) -> torch.Tensor:
        """s of the diaphragm at (l, a)."""
        right, other = (self._cap(dome, left, forward) for dome in self.domes)
        found = torch.where(left < 0, right, other)
        if self.ripple_mm:
            p = self.ripple_phases
            found = found + self.ripple_mm * (
                torch.sin(left / 17 + p[0]) * torch.sin(forward / 23 + p[1])
                + torch.sin(left / 31 + forward / 27 + p[2])
            )
        return found

    def ceiling(self, left: torch.Tensor, forward: torch.Tensor) -> torch.Tensor:
        """s of the lung's upper end at (l, a)."""
        found = []
        for centre_l, centre_a, top in self.apices:
            # Round towards the midline, flatter where the wall of the cage takes over.
            out = (left - centre_l) * (-1 if centre_l < 0 else 1) / self.apex_width
            inward = out.clamp_max(0) ** 2 / 24
            outward = 68 * (1 - (1 - (out.clamp(0, 70) / 71) ** 2).sqrt())
            outward = outward + 2 * (out - 70).clamp_min(0)
            found.append(top - inward - outward - (forward - centre_a) ** 2 / 110)
        return torch.where(left < 0, found[0], found[1])

    def _cap(self, dome: _Dome, left: torch.Tensor, forward: torch.Tensor) -> torch.Tensor:
        outward = (left - dome.centre_l) * (-1 if dome.centre_l < 0 else 1)
        side = torch.where(outward > 0, outward / dome.outer_mm, outward / dome.inner_mm) ** 2
        ahead = forward - dome.centre_a
        depth = torch.where(ahead > 0, ahead / dome.front_mm, ahead / dome.back_mm) ** 2
        inner, outer, back, front = dome.falls_mm
        across = torch.where(outward > 0, outer, inner)
        along = torch.where(ahead > 0, front, back)
        away = side + depth
        fall = (across * side + along * depth) / away.clamp_min(1e-6)
        steep = 0.5 / (1 - _RIM) ** 0.5
        # Between an ellipsoid, level on top and steep at the rim, and a paraboloid.
        flat = away**1.1
        cap = 1 - (1 - flat.clamp_max(_RIM)).sqrt() + steep * (flat - _RIM).clamp_min(0)
        return dome.top_s - fall * torch.lerp(away, cap, dome.flatness)


def shape_chest(body: BodyParameters, device: torch.device) -> Chest:
    """The inner surface of `body`'s chest."""
    rng = np.random.default_rng([body.seed, 1])
    apex, base = body.lung_height_mm / 2, -body.lung_height_mm / 2
    levels = apex - _LEVELS[::-1] * (apex - base)
    narrow = np.interp(_LEVELS, [0.0, 0.35, 0.6, 1.0], [body.apex_width, 1, 1, body.lower_width])
    wobble = 1 + rng.normal(0, 0.006, _LEVELS.size)
    half = body.chest_width_mm / 2 * _WIDTH * narrow * wobble
    deep = body.chest_depth_mm / 2
    bow = body.kyphosis_mm * (np.exp(-(((_LEVELS - 0.55) / 0.4) ** 2)) - 0.7)
    back = -deep * _BACK * (1 + rng.normal(0, 0.01, _LEVELS.size)) - bow
    front = deep * _FRONT
    smooth = 0.03 * (apex - base)
    curves = [Curve.through(levels, values[::-1], device, smooth) for values in (half, back, front)]
    tops = (apex - max(body.apex_shift_mm, 0), apex + min(body.apex_shift_mm, 0))
    at_apex = deep * -0.36
    half_apex = float(half[2]) * 0.60
    return Chest(
        apex_s=apex,
        base_s=base,
        width=curves[0],
        back=curves[1],
        front=curves[2],
        front_roundness=body.front_roundness,
        back_roundness=body.back_roundness,
        domes=_shape_domes(body, base, float(half[8]), float(back[8]), float(front[8]), rng),
        apices=((-half_apex, at_apex, tops[0]), (half_apex, at_apex, tops[1])),
        apex_width=body.chest_width_mm / 290 * body.apex_width,
        ripple_mm=body.dome_ripple_mm,
        ripple_phases=tuple(float(p) for p in rng.uniform(0, 2 * np.pi, 3)),
    )


def _shape_domes(
    body: BodyParameters,
    base_s: float,
    half_mm: float,
    back_a: float,
    front_a: float,
    rng: np.random.Generator,
) -> tuple[_Dome, _Dome]:
    domes = []
    for sign, rise in ((-1, body.right_dome_mm), (1, body.left_dome_mm)):
        centre_l = sign * half_mm * float(np.clip(rng.normal(0.44, 0.05), 0.32, 0.58))
        centre_a = (back_a + front_a) / 2 + float(rng.normal(12, 6))
        domes.append(
            _Dome(
                centre_l=centre_l,
                centre_a=centre_a,
                top_s=base_s + rise,
                inner_mm=abs(centre_l) * 1.25,
                outer_mm=half_mm * 1.01 - abs(centre_l),
                back_mm=(centre_a - back_a) * 1.02,
                front_mm=(front_a - centre_a) * 1.05,
                falls_mm=(
                    body.dome_medial_mm,
                    1.15 * rise + 10.0,
                    body.posterior_recess_mm,
                    0.55 * rise + 12,
                ),
                flatness=float(np.clip(rng.normal(0.45, 0.2), 0, 1)),
            )
        )
    return domes[0], domes[1]
