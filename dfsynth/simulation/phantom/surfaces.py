"""Solids as intervals of depth over the coronal plane, and how they blend into each other.

A solid is a pair of maps over (l, s): the depth `centre` it lies around, and `square`, its
squared half depth, negative where there is none. Squares of ellipsoids and tubes are smooth
across their rims, so that solids melt into each other without edges.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import gaussian_filter1d


@dataclass(frozen=True, slots=True)
class Solid:
    """Depth maps in mm over any shape of points of the coronal plane."""

    centre: torch.Tensor
    square: torch.Tensor

    @property
    def front(self) -> torch.Tensor:
        """Largest a inside, in mm, where there is any; the maps' shape."""
        return self.centre + self.square.clamp_min(0).sqrt()

    @property
    def back(self) -> torch.Tensor:
        """Smallest a inside, in mm, where there is any; the maps' shape."""
        return self.centre - self.square.clamp_min(0).sqrt()


class Shape(Protocol):
    """Something that fills depths."""

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """Its maps at l = `left` and s = `up` in mm, of the shape to which both broadcast."""


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid with one axis along a, turned in the coronal plane."""

    centre_mm: tuple[float, float, float]
    """(l, a, s)."""
    semi_axes_mm: tuple[float, float, float]
    tilt_deg: float = 0.0
    """The first axis falls towards +l by so much."""

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        turn = np.deg2rad(self.tilt_deg)
        cosine, sine = float(np.cos(turn)), float(np.sin(turn))
        lat, s = left - self.centre_mm[0], up - self.centre_mm[2]
        along = (lat * cosine - s * sine) / self.semi_axes_mm[0]
        across = (lat * sine + s * cosine) / self.semi_axes_mm[2]
        square = self.semi_axes_mm[1] ** 2 * (1 - along**2 - across**2)
        return Solid(torch.full_like(square, self.centre_mm[1]), square)


@dataclass(frozen=True, slots=True)
class Capsule:
    """A straight tube with round ends (a tapered capsule); its depth may differ from its width."""

    start_mm: tuple[float, float, float]
    """(l, a, s)."""
    end_mm: tuple[float, float, float]
    start_radius_mm: float
    end_radius_mm: float
    depth_ratio: float = 1.0
    """Depth over width."""

    def solid(self, left: torch.Tensor, up: torch.Tensor) -> Solid:
        """See `Shape`."""
        lat, s = left - self.start_mm[0], up - self.start_mm[2]
        dl, ds = self.end_mm[0] - self.start_mm[0], self.end_mm[2] - self.start_mm[2]
        share = ((lat * dl + s * ds) / (dl * dl + ds * ds)).clamp(0, 1)
        radius = self.start_radius_mm + share * (self.end_radius_mm - self.start_radius_mm)
        away = (lat - share * dl) ** 2 + (s - share * ds) ** 2
        centre = self.start_mm[1] + share * (self.end_mm[1] - self.start_mm[1])
        return Solid(centre, self.depth_ratio**2 * (radius**2 - away))


def blend(solids: Sequence[Solid], softness_mm2: float) -> Solid:
    """The union of `solids`, rounded where they meet: a log-sum-exp of their squares."""
    squares = torch.stack(torch.broadcast_tensors(*(s.square for s in solids)))
    centres = torch.stack(torch.broadcast_tensors(*(s.centre for s in solids)))
    weights = torch.softmax(squares / softness_mm2, dim=0)
    square = softness_mm2 * torch.logsumexp(squares / softness_mm2, dim=0)
    return Solid((weights * centres).sum(dim=0), square)


@dataclass(frozen=True, slots=True)
class Curve:
    """A smooth function of s, tabulated once and read with linear interpolation."""

    first: float
    """s of the first value, in mm."""
    step: float
    """Between two values, in mm."""
    values: torch.Tensor

    @classmethod
    def through(
        cls,
        at: NDArray[np.float64],
        values: NDArray[np.float64],
        device: torch.device,
        smoothing: float = 0.0,
    ) -> "Curve":
        """A monotone cubic (PCHIP) through knots `values` (n) at rising `at` (n), level beyond.

        `smoothing` is the standard deviation, in units of `at`, of a Gaussian over the table.
        """
        count = 512
        where = np.linspace(at[0], at[-1], count)
        table = PchipInterpolator(at, values)(where)
        step = float(where[1] - where[0])
        if smoothing:
            table = gaussian_filter1d(table, smoothing / step, mode="nearest")
        return cls(float(at[0]), step, torch.tensor(table, dtype=torch.float32, device=device))

    def __call__(self, at: torch.Tensor) -> torch.Tensor:
        """The values at s = `at`, of its shape."""
        last = self.values.numel() - 1
        where = ((at - self.first) / self.step).clamp(0, last - 1e-3)
        below = where.floor()
        index = below.long()
        return torch.lerp(self.values[index], self.values[index + 1], where - below)
