"""Line integrals of a slice along the rays of a scan."""

import torch
from torch.nn.functional import grid_sample

from dfsynth.simulation.dark_field_ct.geometry import VIEWS_AT_ONCE, ScanGeometry


def project(maps_per_m: torch.Tensor, geometry: ScanGeometry) -> torch.Tensor:
    """Line integrals of `maps_per_m` (maps, y, x) in 1/m: (maps, shots, detector_pixels).

    Each ray sums bilinear samples at every pixel's depth; what is outside the slice is 0. All maps
    share the coordinates, and opposite views of a parallel beam are each other's mirror images.
    """
    device = maps_per_m.device
    place, depth = geometry.detector_mm(device), geometry.slice_mm(device)
    across = place[:, None] * (1 + depth * geometry.divergence_per_mm)
    views = [
        _sum_along_rays(maps_per_m, angles, across / geometry.radius_mm, depth / geometry.radius_mm)
        for angles in geometry.angles_rad(device).split(VIEWS_AT_ONCE)
    ]
    length_m = geometry.ray_stretch(device) * geometry.pixel_mm / 1000
    integrals = torch.cat(views, dim=1) * length_m
    if geometry.parallel:
        integrals = torch.cat([integrals, integrals.flip(-1)], dim=1)
    return integrals


def _sum_along_rays(
    maps: torch.Tensor, angles: torch.Tensor, across: torch.Tensor, depth: torch.Tensor
) -> torch.Tensor:
    """Sums of samples at (`across` (detector, depth), `depth` (depth)), in half sides, turned."""
    cos, sin = angles.cos()[:, None, None], angles.sin()[:, None, None]
    grid = across.new_empty(len(angles), *across.shape, 2)
    torch.sub(cos * across, sin * depth, out=grid[..., 0])
    torch.add(sin * across, cos * depth, out=grid[..., 1])
    views, detector, samples, _ = grid.shape
    values = grid_sample(
        maps[None], grid.view(1, views * detector, samples, 2), align_corners=False
    )
    return values.sum(-1).view(len(maps), views, detector)
