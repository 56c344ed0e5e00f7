"""Line integrals through an anatomy along the rays of a cone beam.

Every ray meets a coronal plane in one point, and the points of all rays in one plane form the
detector's own raster, scaled. So a projection is a sum of resampled planes, each weighted with
the length of the ray between planes: the cone beam exactly, without marching along rays.
Volumes are interpolated linearly in the plane and summed by the midpoint rule in depth.
"""

import math

import torch
import torch.nn.functional as F

from dfsynth.simulation.projection.anatomy import Elements
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid


def project(
    fields: torch.Tensor, first: int, grid: VoxelGrid, beam: ConeBeam, planes_at_once: int = 8
) -> torch.Tensor:
    """Adds up planes `first`, `first` + 1, … of `fields` along the rays.

    `fields` is (channels, planes, rows, columns) on `grid`; the result (channels, beam.rows,
    beam.columns) holds each field's line integral in mm times the field's unit. Outside the grid
    every field is 0. A pixel wider than a voxel is the mean over finer rays.
    """
    fine = max(1, math.ceil(beam.pixel_mm / (1.25 * min(grid.step_x_mm, grid.step_z_mm))))
    rays = ConeBeam(
        beam.rows * fine,
        beam.columns * fine,
        beam.pixel_mm / fine,
        beam.source_mm,
        beam.centre_x_mm,
        beam.centre_z_mm,
    )
    device = fields.device
    y_mm = grid.y_mm(device)[first : first + fields.shape[1]]
    total = torch.zeros(fields.shape[0], rays.rows, rays.columns, device=device)
    for start in range(0, fields.shape[1], planes_at_once):
        chunk = slice(start, start + planes_at_once)
        total += _sum_planes(fields[:, chunk].transpose(0, 1), y_mm[chunk], grid, rays)
    total *= grid.step_y_mm * obliquity(rays, device)
    return F.avg_pool2d(total[None], fine)[0] if fine > 1 else total


def deposit(elements: Elements, beam: ConeBeam) -> torch.Tensor:
    """Line integrals in mm, (rows, columns), of structures given as small volumes.

    A volume dV at magnification M adds dV · M² / pixel² to the ray through it, shared among the
    four pixels around it, so that the sum over the detector is that of the volumes.
    """
    points, volumes = elements.points_mm, elements.volumes_mm3
    magnification = beam.magnification(points[:, 1])
    u = (points[:, 0] - beam.centre_x_mm) * magnification / beam.pixel_mm + (beam.columns - 1) / 2
    v = (beam.centre_z_mm - points[:, 2]) * magnification / beam.pixel_mm + (beam.rows - 1) / 2
    amount = volumes * (magnification / beam.pixel_mm) ** 2
    # One pixel of frame on each side takes what falls half outside.
    framed = torch.zeros((beam.rows + 2) * (beam.columns + 2), device=points.device)
    inside = (u > -1) & (u < beam.columns) & (v > -1) & (v < beam.rows)
    u, v, amount = u[inside], v[inside], amount[inside]
    column, row = u.floor(), v.floor()
    right, below = u - column, v - row
    index = (row.long() + 1) * (beam.columns + 2) + column.long() + 1
    for step, share in (
        (0, (1 - right) * (1 - below)),
        (1, right * (1 - below)),
        (beam.columns + 2, (1 - right) * below),
        (beam.columns + 3, right * below),
    ):
        framed.index_add_(0, index + step, amount * share)
    image = framed.view(beam.rows + 2, beam.columns + 2)[1:-1, 1:-1]
    return image * obliquity(beam, points.device)


def obliquity(beam: ConeBeam, device: torch.device) -> torch.Tensor:
    """Length of a ray between two coronal planes over their distance, (rows, columns), ≥ 1."""
    x, z = beam.column_x_mm(device), beam.row_z_mm(device)
    return torch.sqrt(1 + (x[None, :] ** 2 + z[:, None] ** 2) / beam.source_mm**2)


def _sum_planes(
    planes: torch.Tensor, y_mm: torch.Tensor, grid: VoxelGrid, beam: ConeBeam
) -> torch.Tensor:
    """Sum over `planes` (planes, channels, rows, columns), each resampled on the rays."""
    widening = 1 / beam.magnification(y_mm)[:, None]
    x_mm = beam.centre_x_mm + beam.column_x_mm(planes.device) * widening
    z_mm = beam.centre_z_mm + beam.row_z_mm(planes.device) * widening
    # grid_sample counts from −1 to 1 between the centres of the first and the last voxel.
    x = 2 * (x_mm - grid.left_x_mm) / (grid.step_x_mm * (grid.columns - 1)) - 1
    z = 2 * (grid.top_z_mm - z_mm) / (grid.step_z_mm * (grid.rows - 1)) - 1
    where = torch.stack(
        torch.broadcast_tensors(x[:, None, :], z[:, :, None]),
        dim=-1,
    )
    sampled = F.grid_sample(planes, where, mode="bilinear", align_corners=True)
    return sampled.sum(dim=0)
