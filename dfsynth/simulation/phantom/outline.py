"""The body's surface: trunk, neck, shoulders, arms and breasts melted into one; fat below it."""

from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters, Projection
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.surfaces import Capsule, Ellipsoid, Shape, Solid, blend

_SOFTNESS_MM2 = 420.0


@dataclass(frozen=True, slots=True)
class Trunk:
    """The rib cage with what lies on it, going over into the belly."""

    chest: Chest
    side_mm: float
    """From the inner surface of the ribs to this surface, on the side of the chest."""
    front_mm: float
    back_mm: float
    abdomen_width: float
    """Width of the abdomen over that of the chest."""
    pectoral_mm: float

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        fraction = (self.chest.apex_s - up) / (self.chest.apex_s - self.chest.base_s)
        wide = 1 + (self.abdomen_width - 1) * ((fraction - 0.75) / 0.6).clamp(0, 1)
        # Latissimus and pectoral muscle fill the armpit's folds.
        armpit = 14 * torch.exp(-(((fraction - 0.22) / 0.2) ** 2))
        half = self.chest.width(up) * wide + self.side_mm + armpit
        pectoral = self.pectoral_mm * torch.exp(
            -(((left.abs() - 75) / 45) ** 2) - ((fraction - 0.24) / 0.2) ** 2
        )
        # Neck and shoulders' muscles in front of the apices and behind them.
        over = torch.exp(-(((fraction + 0.02) / 0.13) ** 2))
        front = self.chest.front(up) + self.front_mm + pectoral + 8 * over
        # Shoulder blades with their muscles.
        girdle = 1 + 0.6 * torch.exp(
            -(((left.abs() - 80) / 60) ** 2) - ((fraction - 0.1) / 0.22) ** 2
        )
        back = self.chest.back(up) - self.back_mm * (girdle + 0.4 * over)
        across = (left.abs() / half) ** 2.4
        depth = (front - back) / 2
        # Above the apex the neck and the shoulders take over.
        rise = ((fraction + 0.28) / 0.36).clamp(0, 1)
        fade = (rise * rise * (3 - 2 * rise)) ** 1.5
        return Solid((front + back) / 2, depth**2 * (1.08 * fade - 0.08 - across))


@dataclass(frozen=True, slots=True)
class Breast:
    """Round below, running out smoothly above."""

    centre_mm: tuple[float, float, float]
    """(l, a, s)."""
    radius_mm: float
    depth_mm: float

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        rise = (up - self.centre_mm[2]) / self.radius_mm
        across = (left - self.centre_mm[0]) / self.radius_mm
        above = rise.clamp_min(0)
        share = 1 - across**2 - (rise.clamp_max(0) / 0.95) ** 2 - (above / 1.7) ** 2
        power = 1 + 1.5 * above.clamp_max(1)
        square = self.depth_mm**2 * share.clamp_min(0) ** power - (share < 0).float()
        return Solid(torch.full_like(square, self.centre_mm[1]), square)


@dataclass(frozen=True, slots=True)
class Outline:
    """Skin and muscle surfaces."""

    skin: tuple[Shape, ...]
    muscle: tuple[Shape, ...]
    breasts: tuple[Shape, ...]

    def skin_solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """All inside the skin, breasts aside; maps of the shape of `left` and `up` together."""
        return blend([part.solid(left, up) for part in self.skin], _SOFTNESS_MM2)

    def muscle_solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """All below the subcutaneous fat; maps of the shape of `left` and `up` together."""
        return blend([part.solid(left, up) for part in self.muscle], _SOFTNESS_MM2)


def shape_outline(body: BodyParameters, chest: Chest) -> Outline:
    """Surfaces of `body` around `chest`."""
    rng = np.random.default_rng([body.seed, 3])
    jitter = rng.normal(0, 1, 8)
    fat = body.fat_mm
    return Outline(
        skin=_layer(body, chest, fat, jitter),
        muscle=_layer(body, chest, 0.0, jitter),
        breasts=_shape_breasts(body, chest, rng),
    )


def shoulder_mm(body: BodyParameters, chest: Chest, side: int) -> tuple[float, float, float]:
    """(l, a, s) of a humeral head's centre; `side` is −1 for the right, 1 for the left."""
    forward = 10.0 if body.projection is Projection.PA else -22.0
    a = float(chest.back.values.mean()) * 0.35 + forward
    return (
        side * body.shoulder_half_width_mm,
        a,
        chest.apex_s + body.shoulder_height_mm + side * body.apex_shift_mm * 0.5,
    )


def elbow_mm(body: BodyParameters, chest: Chest, side: int) -> tuple[float, float, float]:
    """(l, a, s) of an elbow."""
    lat, a, s = shoulder_mm(body, chest, side)
    turn = np.deg2rad(body.arm_abduction_deg)
    length = 1.75 * body.height_cm
    return (
        lat + side * length * float(np.sin(turn)),
        a - (0 if body.projection is Projection.PA else 8),
        s - length * float(np.cos(turn)),
    )


def _layer(
    body: BodyParameters, chest: Chest, fat_mm: float, jitter: np.ndarray
) -> tuple[Shape, ...]:
    """The surface `fat_mm` outside the muscles."""
    scale = body.height_cm / 176
    neck = (57 if body.sex == "male" else 50) * scale + 0.25 * fat_mm
    neck_a = float(chest.back.values[-40]) + 38 * scale
    base = chest.apex_s - 6 * scale
    parts: list[Shape] = [
        Trunk(
            chest,
            side_mm=11 + body.muscle_mm + fat_mm,
            front_mm=14 + 0.8 * fat_mm,
            back_mm=26 * scale + 0.7 * fat_mm,
            abdomen_width=body.abdomen_width,
            pectoral_mm=body.pectoral_mm,
        ),
        Capsule(
            (0, neck_a, base - 10),
            (0, neck_a + 14, base + 150 * scale),
            neck * 1.08,
            neck,
            1.05,
        ),
        *_shape_head(body, neck_a, base, fat_mm, float(jitter[1])),
    ]
    for side in (-1, 1):
        lat, a, s = shoulder_mm(body, chest, side)
        elbow = elbow_mm(body, chest, side)
        arm = body.arm_radius_mm * scale * 0.86 + 0.35 * fat_mm
        deltoid = arm * 1.05 + 3
        # The trapezius from the neck, the shoulder's vault, and the upper arm.
        slope = base + (22 + 4 * jitter[0]) * scale
        parts += [
            Capsule(
                (side * 38 * scale, neck_a, slope),
                (lat * 0.86, a - 8, s + 2),
                52 * scale + 0.3 * fat_mm,
                deltoid * 0.92,
                1.38,
            ),
            Capsule((lat * 0.97, a, s - 4), elbow, deltoid, arm * 0.88, 1.2),
            # Armpit folds: chest and back muscles that end on the arm.
            Capsule(
                (lat * 0.82, a + 8, s - 26 * scale),
                (side * 0.86 * float(chest.width.values.max()), a + 6, s - 105 * scale),
                26 * scale + 0.3 * fat_mm,
                12 * scale + 0.3 * fat_mm,
                1.3,
            ),
        ]
    return tuple(parts)


def _shape_head(
    body: BodyParameters, neck_a: float, base_s: float, fat_mm: float, jitter: float
) -> tuple[Shape, ...]:
    """Jaw and skull: the chin of a lying patient sinks towards the chest."""
    scale = body.height_cm / 176
    supine = body.projection is not Projection.PA
    chin = base_s + (128 - 30 * supine + 14 * jitter) * scale + 8
    more = 0.3 * fat_mm
    return (
        Ellipsoid(
            (0, neck_a + 42 * scale, chin + 34 * scale),
            (54 * scale + more, 62 * scale, 36 * scale + more),
        ),
        Ellipsoid(
            (0, neck_a + 16 * scale, chin + 108 * scale),
            (75 * scale, 95 * scale, 96 * scale),
        ),
    )


def _shape_breasts(
    body: BodyParameters, chest: Chest, rng: np.random.Generator
) -> tuple[Shape, ...]:
    if not body.breast_radius_mm:
        return ()
    radius = body.breast_radius_mm
    found = []
    for side in (-1, 1):
        size = radius * float(rng.normal(1, 0.05))
        lat = side * float(rng.normal(0.30, 0.03)) * body.chest_width_mm * 1.02
        s = -body.breast_drop_mm + float(rng.normal(0, 5))
        front = float(chest.front(torch.tensor(s, device=chest.front.values.device)))
        a = front * 0.62 + 8 + 0.5 * body.fat_mm
        depth = 0.3 * front + body.breast_depth_mm + 0.4 * body.fat_mm
        found.append(Breast((lat, a, s), size, depth))
    return tuple(found)
