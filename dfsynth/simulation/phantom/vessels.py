"""Pulmonary arteries and veins: trees that fork towards points spread through the lung.

A tree serves a cloud of points: at each fork the cloud is cut in half across its longest
extent, and a branch grows part of the way towards the middle of its half. Radii follow Murray's
law, r^e = r₁^e + r₂^e (Murray, PNAS 1926), with e = 2.6 so that peripheral vessels vanish
sooner than at e = 3 [assumed].
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.organs import Organs

_LEVELS = 10
"""Forks from the hilum to the finest vessel: 2^levels ends in each tree."""
_EXPONENT = 2.6
_TRUNK_MM = (9.2, 8.2)
"""Radius at the hilum of an artery's and a vein's tree."""
_SHARES = (0.10, 0.16, 0.22, 0.32, 0.42, 0.46)
"""How far towards the middle of its points a branch runs before it forks, from the hilum on:
the segments' vessels part close to the hilum, and run far [assumed]."""
_BEND = 0.12
_GOLDEN = math.pi * (3 - math.sqrt(5))
_TRIES = 20
_SAMPLE_MM = 2.5
"""How often along a vessel it is asked whether it is still inside the lung."""
_PLEURA_MM = 9.0
"""Nothing is seen of vessels within this distance of the lung's surface."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """Straight pieces between forks."""

    starts: NDArray[np.float64]
    """(n, 3) as l, a, s in mm."""
    ends: NDArray[np.float64]
    bows: NDArray[np.float64]
    """Where the middle lies, over the middle between start and end."""
    radii_mm: NDArray[np.float64]


def in_lung(chest: Chest, organs: Organs, points: torch.Tensor) -> torch.Tensor:
    """Which body points (n, 3) as l, a, s lie in lung parenchyma, airways aside; (n) bool."""
    lat, a, s = points.unbind(-1)
    back, front = chest.wall(lat, s)
    inside = (a > back) & (a < front) & (s > chest.floor(lat, a)) & (s < chest.ceiling(lat, a))
    for solid in (*(shape.solid(lat, s) for shape in organs.solid), organs.heart_solid(lat, s)):
        inside &= (a - solid.centre) ** 2 >= solid.square
    return inside


def grow_vessels(
    body: BodyParameters,
    chest: Chest,
    organs: Organs,
    spacing_mm: float,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (n, 3) as l, a, s in mm and volumes (n) in mm³ of the vessels of both lungs."""
    rng = np.random.default_rng([body.seed, 6])
    trees = []
    for side in (-1, 1):
        cloud = _spread(body, chest, organs, side, rng)
        for kind in range(2):
            root = organs.hila[0 if side < 0 else 1]
            if kind:
                at = organs.atrium
                root = (at[0] + side * 26 * organs.scale, at[1], at[2])
            order = rng.permutation(len(cloud))[: 2**_LEVELS]
            tree = _fork(cloud[order], np.array(root), rng)
            trunk_mm = _TRUNK_MM[kind] * body.vessel_scale * organs.scale
            trees.append(replace(tree, radii_mm=tree.radii_mm * trunk_mm))
    segments = _Segments(
        np.concatenate([tree.starts for tree in trees]),
        np.concatenate([tree.ends for tree in trees]),
        np.concatenate([tree.bows for tree in trees]),
        np.concatenate([tree.radii_mm for tree in trees]),
    )
    return _fill(segments, chest, organs, spacing_mm, device)


def _spread(
    body: BodyParameters, chest: Chest, organs: Organs, side: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """At least two trees' points in one lung, away from its surface."""
    half = body.chest_width_mm / 2
    deep = body.chest_depth_mm / 2 + body.kyphosis_mm
    low = np.array([0.0, -deep, chest.base_s - 0.25 * body.lung_height_mm])
    high = np.array([side * half, deep, chest.apex_s])
    found = np.zeros((0, 3))
    wanted = 2 ** (_LEVELS + 1)
    shifts = torch.tensor(np.concatenate([np.eye(3), -np.eye(3)]) * _PLEURA_MM).float()
    for _ in range(_TRIES):
        points = torch.tensor(low + (high - low) * rng.random((3 * wanted, 3))).float()
        points = points.to(chest.back.values.device)
        points = points[in_lung(chest, organs, points)]
        around = points[:, None] + shifts.to(points.device)
        inside = in_lung(chest, organs, around.flatten(0, 1)).view(-1, len(shifts)).all(dim=1)
        found = np.concatenate([found, points[inside].cpu().numpy()])
        if len(found) >= wanted:
            break
    # A lung too small for all of them is served more densely; in one that is nowhere deep enough,
    # vessels run straight out of it.
    return np.resize(found if len(found) else low, (max(wanted, len(found)), 3))


def _fork(
    cloud: NDArray[np.float64], root: NDArray[np.float64], rng: np.random.Generator
) -> _Segments:
    """A tree through `cloud`, its radii over the trunk's."""
    starts, ends, bows, radii = [], [], [], []
    groups = cloud[None]
    came = (cloud.mean(axis=0) - root)[None]
    came = came / max(float(np.linalg.norm(came)), 1e-6)
    at = root[None]
    for level in range(_LEVELS + 1):
        middle = groups.mean(axis=1)
        share = _SHARES[min(level, len(_SHARES) - 1)] * rng.uniform(0.8, 1.2, (len(groups), 1))
        if level == _LEVELS:
            share = np.ones_like(share)
        end = at + share * (middle - at)
        reach = np.linalg.norm(end - at, axis=1, keepdims=True)
        if level < _LEVELS:
            end = end + rng.normal(0, 0.07, end.shape) * reach
        ahead = (end - at) / np.maximum(np.linalg.norm(end - at, axis=1, keepdims=True), 1e-6)
        starts.append(at)
        ends.append(end)
        # A branch leaves its parent's way in a bend.
        bows.append(_BEND * reach * (came - ahead) + rng.normal(0, 0.04, end.shape) * reach)
        radii.append(np.full(len(groups), 2.0 ** (-level / _EXPONENT)))
        if level == _LEVELS:
            break
        # Cut each group across its longest extent, tilted at random.
        centred = groups - middle[:, None]
        spread = centred.std(axis=1) * np.array([1.0, 0.9, 1.15])
        axis = np.eye(3)[spread.argmax(axis=1)] + rng.normal(0, 0.25, (len(groups), 3))
        order = np.argsort(np.einsum("gpk,gk->gp", centred, axis), axis=1)
        groups = np.take_along_axis(groups, order[..., None], axis=1)
        groups = groups.reshape(2 * len(groups), -1, 3)
        at = np.repeat(end, 2, axis=0)
        came = np.repeat(ahead, 2, axis=0)
    return _Segments(*(np.concatenate(part) for part in (starts, ends, bows, radii)))


def _fill(
    segments: _Segments,
    chest: Chest,
    organs: Organs,
    spacing_mm: float,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Discs of points along gently bent segments, those inside the lung."""
    starts, ends = segments.starts, segments.ends
    lengths = np.linalg.norm(ends - starts, axis=1)
    # Blood pools at the bases of an upright lung.
    height = (starts[:, 2] - chest.base_s) / (chest.apex_s - chest.base_s)
    radii = segments.radii_mm * np.clip(1.12 - 0.3 * height, 0.7, 1.15)
    across = np.ceil((1.5 * radii / spacing_mm) ** 2).astype(np.int64).clip(1)
    along = np.ceil(lengths / spacing_mm).astype(np.int64).clip(1)
    counts = across * along
    segment = np.repeat(np.arange(len(starts)), counts)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)

    def move(values: NDArray[np.float64] | NDArray[np.int64]) -> torch.Tensor:
        return torch.tensor(values, device=device, dtype=torch.float32)

    pick = torch.tensor(segment, device=device)
    index = torch.tensor(place, device=device)
    wide = torch.tensor(across, device=device)[pick]
    step = index // wide
    disc = (index % wide).float()
    share = (step + 0.5) / torch.tensor(along, device=device)[pick]
    start, end, curve = move(starts), move(ends), move(segments.bows)
    tangent = (end - start) / move(lengths).clamp_min(1e-6)[:, None]
    helper = torch.where(
        tangent[:, 2:].abs() < 0.8,
        torch.tensor([[0.0, 0.0, 1.0]], device=device),
        torch.tensor([[1.0, 0.0, 0.0]], device=device),
    )
    first = torch.linalg.cross(tangent, helper)
    first = first / first.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    second = torch.linalg.cross(tangent, first)
    radius = move(radii)
    out = radius[pick] * ((disc + 0.5) / wide).sqrt() * (wide > 1)
    angle = _GOLDEN * (disc + step)
    points = (
        torch.lerp(start[pick], end[pick], share[:, None])
        + (4 * share * (1 - share))[:, None] * curve[pick]
        + (out * torch.cos(angle))[:, None] * first[pick]
        + (out * torch.sin(angle))[:, None] * second[pick]
    )
    volumes = (math.pi * radius**2 * move(lengths) / move(counts))[pick]
    # Asked at a few places along each segment, not at each of its many points.
    asked = torch.tensor(np.ceil(lengths / _SAMPLE_MM).clip(1), device=device).long()
    before = asked.cumsum(0) - asked
    whose = torch.repeat_interleave(asked)
    at = ((torch.arange(len(whose), device=device) - before[whose] + 0.5) / asked[whose])[:, None]
    middle = torch.lerp(start[whose], end[whose], at) + 4 * at * (1 - at) * curve[whose]
    inside = in_lung(chest, organs, middle)
    kept = inside[before[pick] + (share * asked[pick]).long()]
    return points[kept], volumes[kept]
