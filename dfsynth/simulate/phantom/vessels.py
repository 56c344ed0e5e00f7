"""Pulmonary arteries and veins: trees that fork towards points spread through the lung.

A tree serves a cloud of points: at each fork the cloud is cut in half across its longest
extent, and a branch grows part of the way towards the middle of its half. Radii follow Murray's
law, r^e = r₁^e + r₂^e (Murray, PNAS 1926), with e = 2.6 so that peripheral vessels vanish
sooner than at e = 3 [assumed].
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dfsynth.simulate.phantom.body import BodyParameters
from dfsynth.simulate.phantom.chest import Chest
from dfsynth.simulate.phantom.organs import Organs

_LEVELS = 10
"""Forks from the hilum to the finest vessel: 2^levels ends in each tree."""
_EXPONENT = 2.6
_TRUNK_MM = (8.0, 7.0)
"""Radius at the hilum of an artery's and a vein's tree."""
_GOLDEN = math.pi * (3 - math.sqrt(5))
_PLEURA_MM = 9.0
"""Nothing is seen of vessels within this distance of the lung's surface."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """Straight pieces between forks."""

    starts: NDArray[np.float64]
    """(n, 3) as l, a, s in mm."""
    ends: NDArray[np.float64]
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
    starts, ends, radii = [], [], []
    for side in (-1, 1):
        cloud = _spread(body, chest, organs, side, rng)
        for kind in range(2):
            root = organs.hila[0 if side < 0 else 1]
            if kind:
                at = organs.atrium
                root = (at[0] + side * 26 * organs.scale, at[1], at[2])
            order = rng.permutation(len(cloud))[: 2**_LEVELS]
            tree = _fork(cloud[order], np.array(root), rng)
            starts.append(tree[0])
            ends.append(tree[1])
            radii.append(tree[2] * _TRUNK_MM[kind] * body.vessel_scale * organs.scale)
    segments = _Segments(*(np.concatenate(part) for part in (starts, ends, radii)))
    return _fill(segments, chest, organs, spacing_mm, rng, device)


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
    for _ in range(12):
        points = low + (high - low) * rng.random((8 * wanted, 3))
        kept = torch.tensor(points, dtype=torch.float32, device=chest.back.values.device)
        inside = in_lung(chest, organs, kept)
        for step in np.concatenate([np.eye(3), -np.eye(3)]) * _PLEURA_MM:
            shift = torch.tensor(step, dtype=torch.float32, device=kept.device)
            inside &= in_lung(chest, organs, kept + shift)
        found = np.concatenate([found, points[inside.cpu().numpy()]])
        if len(found) >= wanted:
            break
    # A lung too small for all of them is served more densely.
    return np.resize(found, (max(wanted, len(found)), 3)) if len(found) else low + 0 * points


def _fork(
    cloud: NDArray[np.float64], root: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Starts, ends (n, 3) and radii (n) over the trunk's, of a tree through `cloud`."""
    starts, ends, radii = [], [], []
    groups = cloud[None]
    at = root[None]
    for level in range(_LEVELS + 1):
        middle = groups.mean(axis=1)
        share = rng.uniform(0.32, 0.5, (len(groups), 1)) if level < _LEVELS else 1.0
        if level == 0:
            share = 0.12
        end = at + share * (middle - at)
        reach = np.linalg.norm(end - at, axis=1, keepdims=True)
        if level < _LEVELS:
            end = end + rng.normal(0, 0.10, end.shape) * reach
        starts.append(at)
        ends.append(end)
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
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(radii)


def _fill(
    segments: _Segments,
    chest: Chest,
    organs: Organs,
    spacing_mm: float,
    rng: np.random.Generator,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Discs of points along gently bent segments, those inside the lung."""
    starts, ends = segments.starts, segments.ends
    lengths = np.linalg.norm(ends - starts, axis=1)
    bow = rng.normal(0, 0.07, starts.shape) * lengths[:, None]
    # Blood pools at the bases of an upright lung.
    height = (starts[:, 2] - chest.base_s) / (chest.apex_s - chest.base_s)
    radii = segments.radii_mm * np.clip(1.12 - 0.3 * height, 0.7, 1.15)
    across = np.ceil((2.0 * radii / spacing_mm) ** 2).astype(np.int64).clip(1)
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
    start, end, curve = move(starts), move(ends), move(bow)
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
    inside = in_lung(chest, organs, points)
    return points[inside], volumes[inside]
