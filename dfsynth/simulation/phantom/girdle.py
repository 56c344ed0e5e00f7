"""Collar bones, shoulder blades and upper arms."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.outline import elbow_mm, shoulder_mm
from dfsynth.simulation.phantom.sweeps import Sweep, bend

_Point = tuple[float, float, float]
"""(l, a, s) in mm."""


def sweep_girdle(
    body: BodyParameters,
    chest: Chest,
    spacing_mm: float,
    rng: np.random.Generator,
    device: torch.device,
) -> list[Sweep]:
    """All bones of both shoulders."""
    found = []
    for side in (-1, 1):
        found += [
            _sweep_clavicle(body, chest, side, spacing_mm, rng, device),
            *_sweep_scapula(body, chest, side, spacing_mm, rng, device),
            *_sweep_humerus(body, chest, side, spacing_mm, device),
        ]
    return found


def _curve(knots: list[_Point], spacing_mm: float, device: torch.device) -> torch.Tensor:
    points = torch.tensor([knots], dtype=torch.float32, device=device)
    length = float((points[:, 1:] - points[:, :-1]).norm(dim=-1).sum())
    return bend(points, max(4, math.ceil(length / spacing_mm)))


def _between(start: _Point, end: _Point, share: float) -> _Point:
    lat, a, s = (p + share * (q - p) for p, q in zip(start, end, strict=True))
    return lat, a, s


def _bulge(point: _Point, lat: float) -> _Point:
    return point[0] + lat, point[1], point[2]


def _profile(values: tuple[float, ...], path: torch.Tensor) -> torch.Tensor:
    """Half axes along a curve, (1, samples), through equally spaced `values`."""
    knots = torch.tensor(values, device=path.device)[None, None]
    return torch.nn.functional.interpolate(knots, path.shape[1], mode="linear", align_corners=True)[
        0
    ]


def _direction(path: torch.Tensor, lat: float, a: float, s: float) -> torch.Tensor:
    return torch.tensor([lat, a, s], device=path.device).expand_as(path)


def _depth(chest: Chest, which: str, s: float) -> float:
    at = torch.tensor(s, device=chest.back.values.device)
    return float(chest.front(at) if which == "front" else chest.back(at))


def _sweep_clavicle(
    body: BodyParameters,
    chest: Chest,
    side: int,
    spacing_mm: float,
    rng: np.random.Generator,
    device: torch.device,
) -> Sweep:
    scale = body.height_cm / 176
    lat, a, s = shoulder_mm(body, chest, side)
    start_s = chest.level(0.155) + float(rng.normal(0, 4))
    start = (side * 22 * scale, _depth(chest, "front", start_s) + 12, start_s)
    end = (lat - side * 25 * scale, a - 6, min(start_s + body.clavicle_rise_mm, s + 36 * scale))
    wave = float(rng.normal(8, 3)) * scale
    knots = [start]
    for share, sway, bow in ((0.3, 0.9, 22.0), (0.55, 0.15, 14.0), (0.8, -0.7, -2.0)):
        left, ahead, up = _between(start, end, share)
        up += sway * wave
        # In front of the ribs, wherever the shoulder is.
        before = float(chest.wall(*torch.tensor([left, up], device=device))[1]) + 12 * scale
        knots.append((left, max(ahead + bow * scale, before), up))
    path = _curve([*knots, end], spacing_mm, device)
    return Sweep(
        path,
        _direction(path, 0, 0, 1),
        _profile((10.0, 7.0, 6.0, 6.0, 6.5), path) * scale,
        _profile((9.0, 6.5, 5.5, 6.5, 8.5), path) * scale,
        1.7 * body.rib_cortex_mm,
        body.bone_density,
    )


@dataclass(frozen=True, slots=True)
class _Corners:
    """Where a shoulder blade's corners lie."""

    upper: _Point
    middle: _Point
    """Of the inner border, where the spine of the blade begins."""
    lower: _Point
    glenoid: _Point
    acromion: _Point


def _place_scapula(
    body: BodyParameters, chest: Chest, side: int, rng: np.random.Generator, device: torch.device
) -> _Corners:
    scale = body.height_cm / 176
    lat, a, s = shoulder_mm(body, chest, side)
    out = body.scapula_out_mm + float(rng.normal(0, 5))
    # A blade that is turned outwards with the arm swings its lower corner away.
    swing = float(rng.normal(1.25, 0.3))

    def on_back(left: float, up: float) -> _Point:
        """A point of the blade, which slides on the ribs."""
        at = torch.tensor(up, device=device)
        share = min(abs(left) / (float(chest.width(at)) * 1.15), 0.98)
        middle = float(chest.widest_a(at))
        depth = (middle - float(chest.back(at))) * (1 - share**2.4) ** (1 / 2.4)
        return (side * left, middle - depth - 20 * scale, up)

    return _Corners(
        upper=on_back(72 * scale + 0.7 * out, s - 6 * scale),
        middle=on_back(70 * scale + out, s - 40 * scale),
        lower=on_back(88 * scale + swing * out, s - 112 * scale),
        glenoid=(lat - side * 24 * scale, a - 6, s - 4),
        acromion=(lat + side * 4, a - 12, s + 30 * scale),
    )


def _sweep_scapula(
    body: BodyParameters,
    chest: Chest,
    side: int,
    spacing_mm: float,
    rng: np.random.Generator,
    device: torch.device,
) -> list[Sweep]:
    scale = body.height_cm / 176
    corners = _place_scapula(body, chest, side, rng, device)
    lower, cup = corners.lower, corners.glenoid
    half_way = _between(lower, cup, 0.5)
    borders = [
        [lower, _bulge((half_way[0], half_way[1] - 4, half_way[2]), -side * 7 * scale), cup],
        [
            corners.upper,
            corners.middle,
            _bulge(_between(corners.middle, lower, 0.45), -side * 4 * scale),
            lower,
        ],
        [corners.middle, _between(corners.middle, corners.acromion, 0.5), corners.acromion],
        [corners.upper, cup],
        # The coracoid process, and the joint's cup.
        [
            (cup[0] - side * 6, cup[1] + 4, cup[2] + 14),
            (cup[0] - side * 8, cup[1] + 18, cup[2] + 26 * scale),
            (cup[0] + side * 6, cup[1] + 34, cup[2] + 18 * scale),
        ],
        [
            (cup[0], cup[1], cup[2] - 16 * scale),
            (cup[0] + side * 3, cup[1], cup[2] + 16 * scale),
        ],
    ]
    # Half height in the coronal plane and half thickness along each of them.
    sizes = [
        ((1.5, 4.5, 5.0, 6.0), (1.2, 3.5, 4.5, 7.0)),
        ((2.5, 1.8, 1.8, 1.2), (1.4, 1.2, 1.2, 1.0)),
        ((3.0, 4.0, 7.0), (4.0, 6.0, 9.0)),
        ((2.0, 2.0, 6.0), (1.6, 1.6, 5.0)),
        ((6.0, 5.5, 4.5), (6.0, 5.5, 4.5)),
        ((6.0, 8.0, 6.0), (8.0, 12.0, 8.0)),
    ]
    # Of the cortex: the outer border is the thick one, the inner a sharp edge.
    strength = (0.75, 0.35, 0.4, 0.25, 0.7, 0.7)
    paths = [_curve(border, spacing_mm, device) for border in borders]
    found = [
        Sweep(
            path,
            _direction(path, *((1.0, 0.0, 0.0) if index in (0, 1, 5) else (0.2, 0.0, 1.0))),
            _profile(high, path) * scale,
            _profile(thick, path) * scale,
            body.rib_cortex_mm * strength[index],
            body.bone_density,
        )
        for index, (path, (high, thick)) in enumerate(zip(paths, sizes, strict=True))
    ]
    blade = _sweep_blade(paths[1], paths[0].flip(1), 1.1 * body.rib_cortex_mm, spacing_mm)
    return [*found, blade]


def _sweep_blade(
    medial: torch.Tensor, lateral: torch.Tensor, thick_mm: float, spacing_mm: float
) -> Sweep:
    """The blade as flat strips from its inner to its outer border."""
    rows = math.ceil(max(medial.shape[1], lateral.shape[1]) / 4)
    pick = torch.linspace(0, 1, rows, device=medial.device)
    ends = [
        border[0, (pick * (border.shape[1] - 1)).long()][:, None] for border in (medial, lateral)
    ]
    length = float((ends[1] - ends[0]).norm(dim=-1).max())
    share = torch.linspace(0, 1, math.ceil(length / spacing_mm), device=medial.device)
    path = torch.lerp(ends[0], ends[1], share[None, :, None])
    height = float((medial[0, 1:] - medial[0, :-1]).norm(dim=-1).sum())
    # Thin in the middle, where light shines through a real one.
    thin = (0.35 + 0.65 * (2 * share - 1).abs() ** 1.5)[None] * thick_mm / 2
    return Sweep(
        path,
        torch.tensor([0.0, 0.0, 1.0], device=medial.device).expand_as(path),
        torch.tensor(height / rows / 2, device=medial.device),
        thin,
        0.01,
        0.85,
    )


def _sweep_humerus(
    body: BodyParameters, chest: Chest, side: int, spacing_mm: float, device: torch.device
) -> list[Sweep]:
    scale = body.height_cm / 176
    lat, a, s = shoulder_mm(body, chest, side)
    elbow = elbow_mm(body, chest, side)
    radius = 23.0 * scale
    # The head sits on the inner side of the shaft's upper end.
    head_l = lat - side * 5 * scale
    head = _curve(
        [(head_l, a, s - 0.97 * radius), (head_l, a, s + 0.97 * radius)], spacing_mm, device
    )
    along = torch.linspace(-0.97, 0.97, head.shape[1], device=device)[None]
    round_mm = radius * (1 - along**2).sqrt()
    shaft = _curve(
        [
            (lat + side * 8 * scale, a, s + 13 * scale),
            _between((lat + side * 6 * scale, a, s), elbow, 0.3),
            elbow,
        ],
        spacing_mm,
        device,
    )
    neck = (2.0, 12.5, 17.0, 18.5, 17.5, 15.5, 14.0, 13.0, 12.2)
    wide = _profile((*neck, *(11.0,) * 14, 12.0), shaft) * scale
    cortex = _profile((0.4, 0.6, 1.0, 1.8, 2.4, *(2.7,) * 7), shaft)
    marrow = 0.35 * body.bone_density
    return [
        Sweep(head, _direction(head, 1, 0, 0), round_mm, round_mm, 0.35, 0.5 * body.bone_density),
        Sweep(shaft, _direction(shaft, 0, 1, 0), wide, wide, cortex, marrow),
    ]
