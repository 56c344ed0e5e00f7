"""From where in the scanned volume each point of the posed body comes.

The map is worked out at nodes some 8 mm apart and interpolated linearly between them: every part
of it is smooth on that scale.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from dfsynth.simulation.ct.extension import mirror_row
from dfsynth.simulation.ct.pose import CtPose
from dfsynth.simulation.ct.thorax import CtThorax
from dfsynth.simulation.projection.beam import VoxelGrid

COLUMN, ROW, PLANE, LOG_DENSITY, NEAR, NEAR_LUNG = range(6)
"""Channels of the map."""

_NODE_MM = 8.0
_SOLVER_STEPS = 12
_RIBS_MM = 14.0
"""From the lungs to the outside of the ribs."""
_HEART_MM = 60.0
_REACH_MM = 400.0
"""Half the edge of the cube that the random displacement fills."""
_SPLINE_POWER = 151 / 315
"""Mean over a knot's cell of the sum of squared cubic B-splines."""


@dataclass(frozen=True, slots=True)
class Inflation:
    """What the drawn inflation means for this thorax."""

    sinking_mm: float
    """How far the domes sink, in mm."""
    widen_x: float
    """Factor on the chest's width."""
    widen_y: float
    """Factor on the chest's depth."""


def resolve_inflation(thorax: CtThorax, pose: CtPose) -> Inflation:
    """How far domes sink and the chest widens so that the lungs' volume grows as drawn."""
    widened = pose.inflation**pose.widening
    lowered = pose.inflation / widened - 1
    return Inflation(
        sinking_mm=lowered / max(thorax.gain_per_mm, 1e-4),
        widen_x=widened ** (1 / 3),
        widen_y=widened ** (2 / 3),
    )


@dataclass(frozen=True, slots=True)
class Placement:
    """The backward map at nodes around the body."""

    grid: VoxelGrid
    """Of the nodes."""
    source: torch.Tensor
    """(6, planes, rows, columns): column, row and plane of the volume in [−1, 1] between its
    faces, as grid_sample counts; the logarithm of what lung density is multiplied with; and
    whether the body, and whether lung, is near, 0 or more."""

    def spread(self, grid: VoxelGrid) -> "PlacedGrid":
        """The map interpolated to the rows and columns of `grid`, still at the nodes' planes."""
        device = self.source.device
        z = (self.grid.top_z_mm - grid.z_mm(device)) / self.grid.step_z_mm
        x = (grid.x_mm(device) - self.grid.left_x_mm) / self.grid.step_x_mm
        y = (grid.y_mm(device) - self.grid.first_y_mm) / self.grid.step_y_mm
        rows = torch.einsum("zr,cprx->cpzx", _hat(z, self.grid.rows), self.source)
        sheets = torch.einsum("xk,cpzk->cpzx", _hat(x, self.grid.columns), rows)
        return PlacedGrid(sheets, tuple(y.clamp(0, self.grid.planes - 1.001).tolist()))


@dataclass(frozen=True, slots=True)
class PlacedGrid:
    """The backward map at the voxels of a grid, plane by plane."""

    sheets: torch.Tensor
    """(6, planes of nodes, rows, columns)."""
    y: tuple[float, ...]
    """Where each plane of the grid lies, counted in planes of nodes."""

    def sample(self, first: int, planes: int) -> torch.Tensor:
        """The map in planes `first` and on, (6, planes, rows, columns)."""
        found = self.sheets.new_empty(len(self.sheets), planes, *self.sheets.shape[2:])
        for plane, y in enumerate(self.y[first : first + planes]):
            below = int(y)
            sheet = torch.lerp(self.sheets[:, below], self.sheets[:, below + 1], y - below)
            found[:, plane] = sheet
        return found


def place(thorax: CtThorax, pose: CtPose, half_size_mm: tuple[float, float, float]) -> Placement:
    """The backward map inside a box of ± `half_size_mm` (x, y, z) around the chest's middle."""
    device = thorax.fields.device
    counts = [math.ceil(2 * half / _NODE_MM) + 2 for half in half_size_mm]
    starts = [-(n - 1) / 2 * _NODE_MM for n in counts]
    nodes = VoxelGrid(
        planes=counts[1],
        rows=counts[2],
        columns=counts[0],
        first_y_mm=starts[1],
        top_z_mm=-starts[2],
        left_x_mm=starts[0],
        step_y_mm=_NODE_MM,
        step_z_mm=_NODE_MM,
        step_x_mm=_NODE_MM,
    )
    axes = (nodes.x_mm(device), nodes.y_mm(device), nodes.z_mm(device))
    y, z, x = torch.meshgrid(axes[1], axes[2], axes[0], indexing="ij")
    world = torch.stack([x, y, z]) + _warp(pose, axes)
    if pose.antero_posterior:
        world[1] = -world[1]
    turned = torch.einsum("ij,jyzx->iyzx", _rotation(pose).T.to(device), world)
    sizes = pose.scale * torch.tensor([pose.width, pose.depth, pose.height], device=device)
    built = _undo_build(thorax, pose, turned / sizes[:, None, None, None])
    return Placement(nodes, _upright_to_scan(thorax, pose, built))


def rib_cage_mm(thorax: CtThorax, inflation: Inflation) -> tuple[float, float]:
    """Half axes (x, y) of the ellipse around the ribs, upright and at equal size."""
    (back, front), _, (right, left) = thorax.lung_box
    half_x, half_y = (left - right) / 2 * thorax.step_mm, (front - back) / 2 * thorax.step_mm
    return half_x * inflation.widen_x + _RIBS_MM, half_y * inflation.widen_y + _RIBS_MM


def _undo_build(thorax: CtThorax, pose: CtPose, upright: torch.Tensor) -> torch.Tensor:
    """Points (3: x, y to the front, z) in mm without the drawn wall and heart.

    Outside the ribs distances from them shrink or grow; about the heart a Gaussian bulge does.
    Both grow along every ray from their centres, so neither folds.
    """
    x, y, z = upright
    inflation = resolve_inflation(thorax, pose)
    ribs_x, ribs_y = rib_cage_mm(thorax, inflation)
    reach = torch.hypot(x / ribs_x, y / ribs_y)
    outside = (reach - 1).clamp(min=0)
    shrink = 1 - outside * (1 - 1 / pose.wall) / reach.clamp(min=1)
    x, y = x * shrink, y * shrink
    centre = torch.tensor(thorax.heart_mm, device=upright.device)
    points = torch.stack([x, y, z])
    offset = points - centre[:, None, None, None]
    near = torch.exp(-(offset**2).sum(dim=0) / (2 * _HEART_MM**2))
    return points + (1 / pose.heart - 1) * near * offset


def _upright_to_scan(thorax: CtThorax, pose: CtPose, upright: torch.Tensor) -> torch.Tensor:
    """Undoes the inflation at points (3: x, y to the front, z) in mm; the map's channels."""
    inflation = resolve_inflation(thorax, pose)
    x_mm = upright[0] / inflation.widen_x
    y_mm = upright[1] / inflation.widen_y
    # The chest's middle has sunk by half of what the domes have.
    sunk_mm = upright[2] - inflation.sinking_mm / 2
    planes, rows, columns = thorax.fields.shape[1:]
    centre = [(first + last) / 2 for first, last in thorax.lung_box]
    step = thorax.step_mm

    def normalised(index: torch.Tensor, count: int) -> torch.Tensor:
        return (2 * index + 1) / count - 1

    column = normalised(x_mm / step + centre[2], columns)
    plane = normalised(y_mm / step + centre[0], planes)
    z_mm = sunk_mm
    row = normalised(centre[1] - z_mm / step, rows)
    # z = z' + d·m(x, y, z) has one solution, since d·∂m/∂z stays above −1.
    for _ in range(_SOLVER_STEPS):
        moved = _look_up(thorax.sinking, torch.stack([column, row, plane], dim=-1))
        z_mm = sunk_mm + inflation.sinking_mm * moved
        row = normalised(centre[1] - z_mm / step, rows)
    slope = _look_up(thorax.slope_per_mm, torch.stack([column, row, plane], dim=-1))
    stretch = (1 + inflation.sinking_mm * slope).clamp(0.3, 3)
    log_density = -torch.log(stretch * inflation.widen_x * inflation.widen_y)
    log_density = log_density + _gravity(thorax, pose, y_mm, z_mm)
    near = _near(thorax, torch.stack([column, mirror_row(row, 1.0), plane], dim=-1))
    return torch.cat([torch.stack([column, row, plane, log_density]), near])


def _gravity(
    thorax: CtThorax, pose: CtPose, y_mm: torch.Tensor, z_mm: torch.Tensor
) -> torch.Tensor:
    """What turns the scanned gradient (denser at the back) upright (denser at the base).

    To be added to the density's logarithm; the constant keeps the mass of the lungs.
    """
    gradient = thorax.gravity_per_mm * pose.gravity
    mass, step_mm = thorax.mass_profile, thorax.step_mm
    (back, front), (top, bottom), _ = thorax.lung_box
    # Of the cubes, relative to the middle of the lungs.
    own_y = (torch.arange(mass.shape[0], device=mass.device) - (back + front) / 2) * step_mm
    own_z = ((top + bottom) / 2 - torch.arange(mass.shape[1], device=mass.device)) * step_mm
    turned = mass * torch.exp(gradient * (own_y[:, None] - own_z[None, :]))
    return gradient * (y_mm - z_mm) + torch.log(mass.sum() / turned.sum())


def _near(thorax: CtThorax, where: torch.Tensor) -> torch.Tensor:
    """(2, …): 1 at nodes from which tissue, or lung, is no further than a node, else 0."""
    found = F.grid_sample(thorax.presence[None], where[None], mode="bilinear", align_corners=False)
    return (F.max_pool3d(found, 3, stride=1, padding=1)[0] > 0).float()


def _look_up(volume: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """`volume` (planes, rows, columns) at normalised places (…, 3); held beyond its faces."""
    found = F.grid_sample(
        volume[None, None],
        where[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return found[0, 0]


def _hat(place: torch.Tensor, count: int) -> torch.Tensor:
    """Weights of linear interpolation between `count` nodes, (places, nodes)."""
    node = torch.arange(count, device=place.device, dtype=torch.float32)
    return (1 - (place.clamp(0, count - 1)[:, None] - node).abs()).clamp(min=0)


def _rotation(pose: CtPose) -> torch.Tensor:
    """From the upright body's axes (left, front, up) to the world's, (3, 3)."""
    yaw, pitch, roll = (math.radians(a) for a in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    about_z = [
        [math.cos(yaw), math.sin(yaw), 0],
        [-math.sin(yaw), math.cos(yaw), 0],
        [0, 0, 1],
    ]
    about_x = [
        [1, 0, 0],
        [0, math.cos(pitch), math.sin(pitch)],
        [0, -math.sin(pitch), math.cos(pitch)],
    ]
    about_y = [
        [math.cos(roll), 0, math.sin(roll)],
        [0, 1, 0],
        [-math.sin(roll), 0, math.cos(roll)],
    ]
    return torch.tensor(about_y) @ torch.tensor(about_x) @ torch.tensor(about_z)


def _warp(pose: CtPose, axes: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """A random cubic B-spline displacement in mm at x, y, z of `axes`, (3, y, z, x)."""
    rng = np.random.Generator(np.random.Philox(pose.warp_seed))
    knots = math.ceil(2 * _REACH_MM / pose.warp_scale_mm) + 4
    values = torch.from_numpy(rng.standard_normal((3, knots, knots, knots), np.float32))
    values = (values * (pose.warp_mm / _SPLINE_POWER**1.5)).to(axes[0].device)
    x, y, z = (_spline(axis, knots, pose.warp_scale_mm) for axis in axes)
    values = torch.einsum("xk,cprk->cprx", x, values)
    values = torch.einsum("zr,cprx->cpzx", z, values)
    return torch.einsum("yp,cpzx->cyzx", y, values)


def _spline(axis_mm: torch.Tensor, knots: int, spacing_mm: float) -> torch.Tensor:
    """Weights of a uniform cubic B-spline, (places, knots)."""
    knot = torch.arange(knots, device=axis_mm.device, dtype=torch.float32)
    distance = (axis_mm[:, None] / spacing_mm + (knots - 1) / 2 - knot).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - distance).clamp(min=0) ** 3 / 6
    return torch.where(distance < 1, near, far)
