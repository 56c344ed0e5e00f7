"""What lies between and below the lungs: heart, great vessels, airways, gas in the belly."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.gas import shape_gas
from dfsynth.simulation.phantom.surfaces import Capsule, Ellipsoid, Shape, Solid, blend

_SPINE_DEPTH_MM = 20.0
"""From the gutters beside the spine forward to the middle of the vertebral bodies, at 176 cm."""


@dataclass(frozen=True, slots=True)
class Mediastinum:
    """The soft tissue between the lungs: a band from the spine to the breast bone."""

    chest: Chest
    spine_mm: float
    right: tuple[tuple[float, ...], tuple[float, ...]]
    """Half widths to the right: fractions of the way down, and mm there."""
    left: tuple[tuple[float, ...], tuple[float, ...]]
    recess_mm: float
    """Depth of the lungs' tongues behind the breast bone."""

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        fraction = (self.chest.apex_s - up) / (self.chest.apex_s - self.chest.base_s)
        half = torch.where(
            left < 0, _interpolate(fraction, *self.right), _interpolate(fraction, *self.left)
        )
        back = self.chest.back(up) + self.spine_mm
        tongues = torch.exp(-(((fraction - 0.42) / 0.17) ** 2))
        front = self.chest.front(up) + 4 - self.recess_mm * tongues
        depth = ((front - back) / 2).clamp_min(8)
        # The lungs' tongues before and behind it make its rim fade.
        share = 1 - (left / half) ** 2
        return Solid(back + depth + 0 * half, depth**2 * share * share.abs() ** 0.25)


@dataclass(frozen=True, slots=True)
class SpineColumn:
    """The soft tissue around the vertebral bodies; the gutters lie on both sides of it."""

    chest: Chest
    half_width_mm: float
    spine_mm: float

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        # The upper vertebrae are the slimmer ones.
        fraction = (self.chest.apex_s - up) / (self.chest.apex_s - self.chest.base_s)
        half = self.half_width_mm * (0.73 + 0.27 * ((fraction - 0.1) / 0.4).clamp(0, 1))
        share = 1 - (left / half) ** 2
        deep = self.spine_mm + 0.72 * half
        return Solid(self.chest.back(up) + 0 * left, deep**2 * share * share.abs() ** 0.1)


@dataclass(frozen=True, slots=True)
class Organs:
    """Solids in the chest and below it."""

    solid: tuple[Shape, ...]
    """Soft tissue that keeps lung out and hides it."""
    heart: tuple[Shape, ...]
    """Parts that melt into one heart."""
    airways: tuple[Capsule, ...]
    gas: tuple[Shape, ...]
    """In stomach and bowel."""
    hila: tuple[tuple[float, float, float], tuple[float, float, float]]
    """(l, a, s) where the right and the left pulmonary artery enter the lung."""
    atrium: tuple[float, float, float]
    """(l, a, s) of the left atrium, where the pulmonary veins end."""
    scale: float
    """Stature over 176 cm."""

    def heart_solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """The heart as one body; maps of the shape of `left` and `up` together, in mm."""
        return blend([part.solid(left, up) for part in self.heart], 90.0)


def shape_organs(body: BodyParameters, chest: Chest) -> Organs:
    """The organs of `body` inside `chest`."""
    rng = np.random.default_rng([body.seed, 2])
    scale = body.height_cm / 176
    carina = (
        float(rng.normal(-3, 2)),
        _middle_a(chest, 0.36, 0.30),
        chest.level(float(rng.normal(0.345, 0.02))),
    )
    heart_s, heart = _shape_heart(body, chest, scale)
    down = body.right_hilum_mm * scale
    hila = (
        (-34 * scale * body.mediastinum_width**0.5, carina[1] + 8, carina[2] - down),
        (36 * scale * body.mediastinum_width**0.5, carina[1] + 4, carina[2] - down + 14 * scale),
    )
    spine = _SPINE_DEPTH_MM * scale
    return Organs(
        solid=(
            _shape_mediastinum(body, chest, spine, scale),
            SpineColumn(chest, 25.5 * scale, spine),
            *_shape_great_vessels(body, chest, carina, heart_s, scale),
        ),
        heart=heart,
        airways=_shape_airways(body, chest, carina, hila, scale),
        gas=shape_gas(body, chest, rng),
        hila=hila,
        atrium=(4 * scale, carina[1] - 2, carina[2] - 52 * scale),
        scale=scale,
    )


def _interpolate(
    at: torch.Tensor, knots: tuple[float, ...], values: tuple[float, ...]
) -> torch.Tensor:
    """Piecewise linear, level outside."""
    found = torch.full_like(at, values[0])
    for (a, b), (va, vb) in zip(pairwise(knots), pairwise(values), strict=True):
        found = found + (vb - va) * ((at - a) / (b - a)).clamp(0, 1)
    return found


def _depths(chest: Chest, level: float) -> tuple[float, float]:
    s = torch.tensor(level, device=chest.back.values.device)
    return float(chest.back(s)), float(chest.front(s))


def _middle_a(chest: Chest, fraction: float, share: float) -> float:
    """Depth at a `share` of the way from the back wall to the front, some way down."""
    back, front = _depths(chest, chest.level(fraction))
    return back + share * (front - back)


def _shape_mediastinum(
    body: BodyParameters, chest: Chest, spine_mm: float, scale: float
) -> Mediastinum:
    size = scale * body.mediastinum_width
    return Mediastinum(
        chest,
        spine_mm + 8,
        right=(
            (-0.1, 0.06, 0.2, 0.35, 0.5, 0.8, 1.2),
            tuple(size * v for v in (19, 16, 17, 20, 16, 11, 12)),
        ),
        left=(
            (-0.1, 0.06, 0.2, 0.35, 0.5, 0.8, 1.2),
            tuple(size * v for v in (19, 16, 18, 22, 17, 12, 13)),
        ),
        recess_mm=body.retrosternal_mm,
    )


def _shape_heart(
    body: BodyParameters, chest: Chest, scale: float
) -> tuple[float, tuple[Shape, ...]]:
    """The heart lies on the diaphragm, two thirds of it to the left; lower and wider when the
    breath is out."""
    width = body.heart_width_mm
    top = (chest.domes[0].top_s + chest.domes[1].top_s) / 2 - 0.6 * body.dome_medial_mm
    tilt = body.heart_tilt_deg * (0.75 + 0.25 * (body.inspiration - 0.5) / 0.5)
    short = 0.34 * width
    long = 0.56 * width * body.heart_length
    centre_s = top + 0.60 * short + 0.18 * long * float(np.sin(np.deg2rad(tilt)))
    back, front = _depths(chest, centre_s)
    a = back + 0.60 * (front - back)
    depth = min(0.38 * (front - back), 0.42 * width) + 4
    shift = body.heart_shift_mm
    right = -0.35 * width + shift
    atrium = 0.27 * width * body.heart_roundness
    fat = body.pericardial_fat_mm
    trunk = body.pulmonary_trunk_mm * scale
    left_end = 0.66 * width + shift
    reach = long * float(np.cos(np.deg2rad(tilt)))
    ventricle = (left_end - reach * 0.94, a + 2, centre_s - 0.05 * long)
    parts: list[Shape] = [
        Ellipsoid(ventricle, (long, depth, short), tilt),
        # The right atrium, whose border runs on from the caval vein's.
        Ellipsoid(
            (right + atrium, a - 2, centre_s + 0.16 * width),
            (atrium, 0.75 * depth, 0.47 * width),
            -10.0,
        ),
        Ellipsoid(
            (shift + 0.10 * width, a + 0.25 * depth, centre_s - 0.02 * width),
            (0.36 * width, 0.75 * depth, 0.30 * width),
            14.0,
        ),
        # Outflow tract and appendage: the left border runs down from the hilum with a waist.
        Capsule(
            (shift + 21 * scale, a - 4, chest.level(0.345) - 34 * scale),
            (ventricle[0] + 0.12 * reach, a, centre_s + 0.02 * long),
            1.15 * trunk * body.heart_waist,
            0.92 * short,
            0.9,
        ),
        # Root of the great vessels and the left atrium's appendage.
        Ellipsoid(
            (shift + 0.07 * width, a - 0.1 * depth, centre_s + 0.30 * width),
            (0.27 * width, 0.75 * depth, 0.36 * width),
            20.0,
        ),
    ]
    if fat > 1:
        # Pads in the angles between heart and diaphragm.
        parts += [
            Ellipsoid((at, a + 0.45 * depth, top + fat), (14 + fat, 0.28 * depth, 6 + fat))
            for at in (left_end - 14, right + 12)
        ]
    return centre_s, tuple(parts)


def _shape_great_vessels(
    body: BodyParameters,
    chest: Chest,
    carina: tuple[float, float, float],
    heart_s: float,
    scale: float,
) -> tuple[Shape, ...]:
    radius = body.aorta_radius_mm * scale
    unfold = body.aorta_unfolding
    arch_s = carina[2] + (14 + 6 * unfold) * scale
    knob_l = (19 + 8 * unfold) * scale
    behind = _depths(chest, carina[2])[0] + 33 * scale
    low = chest.level(1.05)
    low_a = _depths(chest, low)[0] + 34 * scale
    trunk = body.pulmonary_trunk_mm * scale
    down_l = (17 + 14 * unfold) * scale
    middle_s = (arch_s + low) / 2
    middle_a = _depths(chest, middle_s)[0] + 30 * scale
    right_l = -(14 + 5 * unfold) * scale
    return (
        # Arch from the right in front to the left behind, and the descending aorta.
        Capsule(
            (right_l, carina[1] + 26, heart_s + 30 * scale),
            (right_l + 8, carina[1] + 20, arch_s),
            radius * 1.1,
            radius,
        ),
        Capsule(
            (right_l + 8, carina[1] + 16, arch_s + 3),
            (knob_l - 2, behind + 8, arch_s),
            radius,
            radius,
            1.5,
        ),
        Ellipsoid((knob_l, behind + 8, arch_s), (radius * 1.12, radius * 1.5, radius * 1.12)),
        Capsule((knob_l, behind, arch_s), (down_l, middle_a, middle_s), radius, radius * 0.95),
        Capsule((down_l, middle_a, middle_s), (8 * scale, low_a, low), radius * 0.95, radius * 0.8),
        # Superior vena cava, with the azygos vein's knob.
        Capsule(
            (-9 * scale * body.mediastinum_width, carina[1] + 14, chest.level(0.13)),
            (-21 * scale, carina[1] + 16, heart_s + 18 * scale),
            7.0 * scale,
            10.5 * scale,
        ),
        # Pulmonary trunk towards the left, its left branch arching over the bronchus.
        Capsule(
            (12 * scale, carina[1] + 34, heart_s + 30 * scale),
            (24 * scale, carina[1] + 10, carina[2] - 20 * scale),
            trunk,
            trunk * 0.95,
        ),
        # Vessels of the neck.
        Capsule(
            (-14, carina[1] + 6, arch_s), (-14 * scale, carina[1] - 4, chest.level(-0.15)), 7, 7
        ),
        Capsule((14, carina[1] + 2, arch_s), (15 * scale, carina[1] - 6, chest.level(-0.15)), 7, 7),
    )


def _shape_airways(
    body: BodyParameters,
    chest: Chest,
    carina: tuple[float, float, float],
    hila: tuple[tuple[float, float, float], tuple[float, float, float]],
    scale: float,
) -> tuple[Capsule, ...]:
    radius = body.trachea_radius_mm * scale
    top = chest.level(-0.62)
    top_a = _depths(chest, chest.level(0.0))[0] + 52 * scale
    angle = np.deg2rad(body.carina_angle_deg)
    tubes = [Capsule((0.5, top_a, top), (carina[0], carina[1], carina[2]), radius, radius, 0.95)]
    for sign, length, share, steepness in ((-1, 24, 0.80, 0.85), (1, 46, 0.70, 1.25)):
        turn = angle * steepness
        end = (
            carina[0] + sign * length * scale * float(np.sin(turn)),
            carina[1] - 4,
            carina[2] - length * scale * float(np.cos(turn)),
        )
        tubes.append(Capsule(carina, end, 0.9 * radius * share + 1, radius * share))
        # The lower lobe's bronchus, running down behind the hilum.
        lower = (
            end[0] + sign * 16 * scale,
            end[1] - 12,
            min(end[2] - 34 * scale, hila[0 if sign < 0 else 1][2] - 16),
        )
        tubes.append(Capsule(end, lower, radius * share * 0.8, radius * 0.42))
    return tuple(tubes)
