"""What is drawn of a lung nodule, and the solid that it is."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch

Margin: TypeAlias = Literal["smooth", "lobulated", "spiculated"]

MARGINS: Final[tuple[Margin, ...]] = ("smooth", "lobulated", "spiculated")
_MARGIN_SHARES: Final = (0.5, 0.3, 0.2)
_GROUND_GLASS_SHARE: Final = 0.15
_SOLID_HU: Final = (-20.0, 100.0)
_GROUND_GLASS_HU: Final = (-650.0, -350.0)
_COUNT_SHARES: Final = (0.6, 0.25, 0.15)
"""Of bodies with one nodule, two and three."""
MOST_NODULES: Final = len(_COUNT_SHARES)
_EDGE_MM: Final = 0.6
"""Width of the border over which a share falls from 1 to 0."""
_DIRECTIONS: Final = 2000


@dataclass(frozen=True, slots=True)
class Nodule:
    """One nodule; all ranges are [assumed]."""

    diameter_mm: float
    """Of a sphere as large as the nodule without its spicules."""
    density_hu: float
    margin: Margin
    shape_seed: int


def draw_nodules(
    share: float, diameter_mm: tuple[float, float], rng: np.random.Generator
) -> tuple[Nodule, ...]:
    """The nodules of one body, none in 1 − `share` of all, else one to three.

    Diameters are drawn evenly on a logarithmic scale, so that there are as many small ones as
    large ones, octave by octave; one in seven is ground glass.
    """
    chance = rng.random()
    count = int(rng.choice(MOST_NODULES, p=_COUNT_SHARES)) + 1
    drawn = [_draw_nodule(diameter_mm, rng) for _ in range(count)]
    return tuple(drawn) if chance < share else ()


def _draw_nodule(diameter_mm: tuple[float, float], rng: np.random.Generator) -> Nodule:
    low, high = np.log(diameter_mm)
    glass = rng.random() < _GROUND_GLASS_SHARE
    return Nodule(
        diameter_mm=float(np.exp(rng.uniform(low, high))),
        density_hu=float(rng.uniform(*(_GROUND_GLASS_HU if glass else _SOLID_HU))),
        margin=MARGINS[int(rng.choice(len(MARGINS), p=_MARGIN_SHARES))],
        shape_seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NoduleShape:
    """A body whose surface every ray from its middle meets once, and cones that stick out of it."""

    radius_mm: float
    """Before `axes` and `bumps`."""
    axes: torch.Tensor
    """(3): half axes of the ellipsoid over the radius; their product is 1."""
    bumps: torch.Tensor
    """(n, 5): direction, height over the radius, and how narrow."""
    spicules: torch.Tensor
    """(m, 5): direction, how far from the middle each reaches, and half its width, in mm."""

    @property
    def reach_mm(self) -> float:
        """Beyond it from the middle there is nothing of the nodule."""
        widest = float(self.axes.max()) * (1 + float(self.bumps[:, 3].clamp(min=0).sum()))
        spikes = float(self.spicules[:, 3].max()) if len(self.spicules) else 0.0
        return max(widest * self.radius_mm, spikes) + _EDGE_MM

    def share(self, points_mm: torch.Tensor) -> torch.Tensor:
        """Share of the nodule at points (…, 3: x, y, z) from its middle, 0 to 1, (…)."""
        distance = points_mm.norm(dim=-1)
        direction = points_mm / distance.clamp(min=1e-6)[..., None]
        inside = (self.surface_mm(direction) - distance) / _EDGE_MM
        for spicule in self.spicules:
            along = points_mm @ spicule[:3]
            aside = (distance.square() - along.square()).clamp(min=0).sqrt()
            tip, width = spicule[3], spicule[4]
            taper = ((tip - along) / (tip - self.radius_mm)).clamp(max=1)
            between = (along > 0) & (along < tip)
            cone = torch.where(between, width * taper - aside, -_EDGE_MM)
            inside = torch.maximum(inside, cone / _EDGE_MM)
        return (0.5 + inside).clamp(0, 1)

    def surface_mm(self, direction: torch.Tensor) -> torch.Tensor:
        """From the middle to the surface without spicules along unit vectors (…, 3), (…)."""
        found = (direction / self.axes).norm(dim=-1).reciprocal()
        raised = torch.ones_like(found)
        for bump in self.bumps:
            raised = raised + bump[3] * torch.exp(bump[4] * (direction @ bump[:3] - 1))
        return self.radius_mm * found * raised


_AXES_SD: Final[dict[Margin, float]] = {"smooth": 0.08, "lobulated": 0.1, "spiculated": 0.12}


def shape_nodule(nodule: Nodule) -> NoduleShape:
    """The solid of a nodule: as large as a sphere of its diameter, but for spicules."""
    rng = np.random.default_rng(nodule.shape_seed)
    log_axes = rng.normal(0, _AXES_SD[nodule.margin], 3)
    axes = torch.from_numpy(np.exp(log_axes - log_axes.mean()).astype(np.float32))
    unit = NoduleShape(1.0, axes, _draw_bumps(nodule.margin, rng), torch.zeros(0, 5))
    volume = float(unit.surface_mm(_sphere()).pow(3).mean())
    radius = nodule.diameter_mm / 2 / volume ** (1 / 3)
    spicules = torch.zeros(0, 5)
    if nodule.margin == "spiculated":
        spicules = _draw_spicules(nodule.diameter_mm / 2, rng)
    return NoduleShape(radius, axes, unit.bumps, spicules)


def _draw_bumps(margin: Margin, rng: np.random.Generator) -> torch.Tensor:
    if margin == "lobulated":
        count = int(rng.integers(4, 9))
        heights, narrow = rng.uniform(0.12, 0.35, count), rng.uniform(6, 12, count)
    else:
        count = 8
        sd = 0.03 if margin == "smooth" else 0.08
        heights, narrow = np.clip(rng.normal(0, sd, count), -0.15, 0.15), np.full(count, 10.0)
    return _stack(_directions(count, rng), heights, narrow)


def _draw_spicules(radius_mm: float, rng: np.random.Generator) -> torch.Tensor:
    count = int(rng.integers(8, 21))
    tips = radius_mm * (1 + rng.uniform(0.3, 0.9, count))
    widths = np.maximum(radius_mm * rng.uniform(0.06, 0.14, count), 0.4)
    return _stack(_directions(count, rng), tips, widths)


def _stack(*columns: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.column_stack(columns).astype(np.float32))


def _directions(count: int, rng: np.random.Generator) -> np.ndarray:
    found = rng.standard_normal((count, 3))
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _sphere() -> torch.Tensor:
    """Directions (n, 3) spread evenly, along a spiral in golden angles."""
    index = np.arange(_DIRECTIONS)
    z = 1 - (2 * index + 1) / _DIRECTIONS
    turn = index * np.pi * (3 - np.sqrt(5))
    aside = np.sqrt(1 - z**2)
    return _stack(aside * np.cos(turn), aside * np.sin(turn), z)
