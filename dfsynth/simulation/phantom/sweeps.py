"""Bones as small volumes: a cross-section swept along a curve, a shell around a core."""

import math
from dataclasses import dataclass

import torch

_GOLDEN = math.pi * (3 - math.sqrt(5))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Curves of one kind, all sampled equally often: (curves, samples, …)."""

    path: torch.Tensor
    """(curves, samples, 3) in mm."""
    side: torch.Tensor
    """(curves, samples, 3): where the cross-section's first axis points, about."""
    first_mm: torch.Tensor
    """Half axis of the cross-section along `side`, broadcast to (curves, samples)."""
    second_mm: torch.Tensor
    """Half axis square to it."""
    cortex_mm: torch.Tensor | float
    """Thickness of the shell, broadcast to (curves, samples)."""
    core: float
    """Share of cortical bone in what the shell encloses."""


def fill_sweep(sweep: Sweep, spacing_mm: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (n, 3) in mm and volumes (n) in mm³, about `spacing_mm` apart in the shell."""
    path = sweep.path
    along = torch.gradient(path, dim=1)[0]
    step = along.norm(dim=-1)
    tangent = along / step.clamp_min(1e-6)[..., None]
    first = sweep.side - (sweep.side * tangent).sum(-1, keepdim=True) * tangent
    first = first / first.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    second = torch.linalg.cross(tangent, first)
    half = [h.expand(path.shape[:2])[..., None] for h in (sweep.first_mm, sweep.second_mm)]
    size = max(float(h.max()) for h in half)
    # Points at random within their own cells: no two bones' lattices beat against the detector's.
    generator = torch.Generator().manual_seed(path.shape[1])
    parts = []
    rim = max(8, math.ceil(2 * math.pi * 0.8 * size / spacing_mm))
    jitter = torch.rand(path.shape[1], rim, generator=generator).to(path.device)
    angle = (2 * math.pi / rim) * (torch.arange(rim, device=path.device) + jitter)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    arc = torch.sqrt((half[0] * sine) ** 2 + (half[1] * cosine) ** 2) * (2 * math.pi / rim)
    cortex = torch.as_tensor(sweep.cortex_mm, device=path.device).expand(path.shape[:2])
    parts.append((cosine, sine, arc * cortex[..., None]))
    if sweep.core > 0:
        count = max(6, math.ceil(math.pi * size * size / (2.2 * spacing_mm + 0.8) ** 2))
        index = torch.arange(count, device=path.device)
        radius = ((index + 0.5) / count).sqrt()
        turn = 2 * math.pi * torch.rand(path.shape[1], 1, generator=generator).to(path.device)
        angle = _GOLDEN * index + turn
        area = math.pi * half[0] * half[1] / count * sweep.core
        parts.append((radius * torch.cos(angle), radius * torch.sin(angle), area))
    points, volumes = [], []
    for across, upward, area in parts:
        place = torch.rand(path.shape[1], across.shape[-1], generator=generator) - 0.5
        where = (
            path[:, :, None]
            + (place.to(path.device) * step[..., None])[..., None] * tangent[:, :, None]
            + (across * half[0])[..., None] * first[:, :, None]
            + (upward * half[1])[..., None] * second[:, :, None]
        )
        points.append(where.reshape(-1, 3))
        volumes.append((area * step[..., None]).expand(where.shape[:-1]).reshape(-1))
    return torch.cat(points), torch.cat(volumes)


def spread_evenly(path: torch.Tensor, samples: int) -> torch.Tensor:
    """Curves (curves, n, 3) read again at `samples` points of equal distance along each."""
    lengths = (path[:, 1:] - path[:, :-1]).norm(dim=-1).cumsum(dim=1)
    lengths = torch.cat([torch.zeros_like(lengths[:, :1]), lengths], dim=1)
    share = (torch.arange(samples, device=path.device) + 0.5) / samples
    wanted = lengths[:, -1:] * share
    index = torch.searchsorted(lengths, wanted).clamp(1, path.shape[1] - 1)
    below, above = lengths.gather(1, index - 1), lengths.gather(1, index)
    weight = ((wanted - below) / (above - below).clamp_min(1e-6))[..., None]
    start = path.gather(1, (index - 1)[..., None].expand(-1, -1, 3))
    end = path.gather(1, index[..., None].expand(-1, -1, 3))
    return torch.lerp(start, end, weight)


def bend(knots: torch.Tensor, samples: int) -> torch.Tensor:
    """Smooth curves (curves, samples, 3) through knots (curves, k, 3): Catmull-Rom splines."""
    ends = torch.cat(
        [2 * knots[:, :1] - knots[:, 1:2], knots, 2 * knots[:, -1:] - knots[:, -2:-1]], 1
    )
    pieces = knots.shape[1] - 1
    at = torch.linspace(0, pieces, 12 * pieces + 1, device=knots.device)
    piece = at.long().clamp_max(pieces - 1)
    t = (at - piece)[None, :, None]
    p0, p1, p2, p3 = (ends[:, piece + i] for i in range(4))
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return spread_evenly(curve, samples)
