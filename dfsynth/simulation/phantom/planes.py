"""Planes of voxels from maps of depth: each solid is one overlap of two intervals per voxel.

A solid's front and back are maps over the coronal plane, made once for all planes. A voxel's
share of the solid is the overlap of its own depth interval with the solid's, which is exact
along the beam, so that sums over planes show neither steps nor rings.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from dfsynth.simulation.phantom.body_shape import BodyParameters
from dfsynth.simulation.phantom.chest import Chest
from dfsynth.simulation.phantom.organs import Organs
from dfsynth.simulation.phantom.outline import Outline
from dfsynth.simulation.phantom.stance import Stance
from dfsynth.simulation.phantom.surfaces import Solid
from dfsynth.simulation.projection.anatomy import Slab
from dfsynth.simulation.projection.beam import VoxelGrid

FAT = 0.93
MUSCLE = 1.05


@dataclass(frozen=True, slots=True)
class _Patch:
    """Depths of one solid within its box of the coronal plane, in units of planes."""

    rows: slice
    columns: slice
    near: torch.Tensor
    """Where the solid begins on the source's side, (rows, columns)."""
    far: torch.Tensor
    first: int
    last: int
    """Planes that it can touch: first ≤ plane < last."""


@dataclass(frozen=True, slots=True)
class _Portion:
    """Planes that are filled at once, with their edges in units of planes, (planes, 1, 1)."""

    first: int
    last: int
    starts: torch.Tensor
    ends: torch.Tensor

    @classmethod
    def of(cls, first: int, last: int, device: torch.device) -> "_Portion":
        centres = torch.arange(first, last, device=device, dtype=torch.float32)[:, None, None]
        return cls(first, last, centres - 0.5, centres + 0.5)


@dataclass(frozen=True, slots=True)
class DepthMaps:
    """All solids of one posed body over a grid."""

    grid: VoxelGrid
    frame: int
    """Columns more on each side, for the turned body's shift from plane to plane."""
    body: tuple[_Patch, ...]
    """Skin and breasts."""
    muscle: _Patch
    cavity: _Patch
    solids: tuple[_Patch, ...]
    airways: tuple[_Patch, ...]
    gas: tuple[_Patch, ...]
    left: torch.Tensor
    """l of each column before bowing, (columns with frame)."""
    up: torch.Tensor
    density: torch.Tensor
    """Of lung parenchyma, (rows, 1)."""


def draw_maps(
    body: BodyParameters,
    chest: Chest,
    organs: Organs,
    outline: Outline,
    pose: Stance,
    grid: VoxelGrid,
    depth_mm: tuple[float, float],
    device: torch.device,
) -> DepthMaps:
    """Depth maps of all solids over `grid`, whose planes begin and end at `depth_mm`."""
    reach = max(abs(depth_mm[0]), abs(depth_mm[1])) * abs(pose.sine / pose.cosine)
    frame = math.ceil(reach / grid.step_x_mm) + 1
    index = torch.arange(grid.columns + 2 * frame, device=device) - frame
    left = (grid.left_x_mm + index * grid.step_x_mm) * pose.cosine
    up = grid.z_mm(device)
    lat, s = left[None, :] - pose.bow(up)[:, None], up[:, None]

    def patch(near: torch.Tensor, far: torch.Tensor) -> _Patch:
        return _cut(near, far, left, up, pose, grid)

    def solid(found: Solid) -> _Patch:
        return patch(found.back, torch.where(found.square > 0, found.front, found.back))

    def melted(find: Callable[[torch.Tensor, torch.Tensor], Solid]) -> _Patch:
        return solid(_enlarge(find, left, up, pose))

    shapes = [solid(shape.solid(lat, s)) for shape in organs.solid]
    return DepthMaps(
        grid=grid,
        frame=frame,
        body=(
            melted(outline.skin_solid),
            *(solid(part.solid(lat, s)) for part in outline.breasts),
        ),
        muscle=melted(outline.muscle_solid),
        cavity=patch(*chest.wall(lat, s)),
        solids=(*shapes, melted(organs.heart_solid)),
        airways=tuple(solid(tube.solid(lat, s)) for tube in organs.airways),
        gas=tuple(melted(part.solid) for part in organs.gas),
        left=left,
        up=up,
        density=_lung_density(body, chest, up)[:, None],
    )


def fill_planes(maps: DepthMaps, chest: Chest, pose: Stance, first: int, last: int) -> Slab:
    """Planes `first` ≤ plane < `last` of the body."""
    grid, device = maps.grid, maps.up.device
    shape = (last - first, grid.rows, grid.columns + 2 * maps.frame)
    fields = torch.zeros((3, *shape), device=device)
    soft, lung, cover = fields
    planes = _Portion.of(first, last, device)
    for skin in maps.body:
        _join(soft, skin, planes)
    soft *= FAT
    _add(soft, maps.muscle, planes, MUSCLE - FAT)
    _fill_cavity(maps, chest, pose, lung, cover, planes)
    # A strongly bowed body may leave a sliver of its cavity outside the muscles.
    _view(lung, maps.cavity).clamp_(max=_view(soft, maps.cavity) / MUSCLE)
    solids = torch.zeros_like(lung)
    for patch in maps.solids:
        _join(solids, patch, planes)
    torch.maximum(cover, solids, out=cover)
    for patch in maps.airways:
        _join(solids, patch, planes)
    lung.sub_(solids).clamp_min_(0)
    soft.sub_(lung, alpha=MUSCLE)
    air = solids.zero_()
    for patch in (*maps.airways, *maps.gas):
        _join(air, patch, planes)
    soft.sub_(air, alpha=MUSCLE)
    soft.clamp_min_(0)
    fields = _shift(fields, maps, pose, first)
    return Slab(
        first=first,
        soft=fields[0],
        bone=torch.zeros_like(fields[0]),
        lung=fields[1],
        lung_density=maps.density.expand(fields[1].shape),
        cover=fields[2],
    )


def _overlap(patch: _Patch, planes: _Portion) -> torch.Tensor | None:
    """Share of each voxel in the patch's box that its solid fills, (planes, rows, columns)."""
    if planes.last <= patch.first or planes.first >= patch.last:
        return None
    share = torch.minimum(patch.far, planes.ends)
    return share.sub_(torch.maximum(patch.near, planes.starts)).clamp_min_(0)


def _view(field: torch.Tensor, patch: _Patch) -> torch.Tensor:
    return field[:, patch.rows, patch.columns]


def _join(field: torch.Tensor, patch: _Patch, planes: _Portion) -> None:
    """Union of what `field` holds and the patch's solid."""
    share = _overlap(patch, planes)
    if share is not None:
        view = _view(field, patch)
        torch.maximum(view, share, out=view)


def _add(field: torch.Tensor, patch: _Patch, planes: _Portion, amount: float) -> None:
    share = _overlap(patch, planes)
    if share is not None:
        _view(field, patch).add_(share, alpha=amount)


def _fill_cavity(
    maps: DepthMaps,
    chest: Chest,
    pose: Stance,
    lung: torch.Tensor,
    cover: torch.Tensor,
    planes: _Portion,
) -> None:
    """Lung between floor and ceiling of the rib cage, cover below the floor."""
    cavity = _overlap(maps.cavity, planes)
    if cavity is None:
        return
    grid, patch = maps.grid, maps.cavity
    up = maps.up[patch.rows][:, None]
    depth = pose.facing * (grid.first_y_mm + grid.step_y_mm * (planes.starts[:, 0] + 0.5))
    found = []
    for surface, level in ((chest.floor, chest.base_s), (chest.ceiling, chest.apex_s)):
        bow = float(pose.bow(torch.tensor(level)))
        left = maps.left[patch.columns][None, :]
        forward = (depth - left * pose.sine) / pose.cosine - pose.lean * level
        at = surface(left - bow, forward)
        beside = surface(left - bow + grid.step_x_mm, forward)
        behind = surface(left - bow, forward + grid.step_y_mm)
        width = grid.step_z_mm + (beside - at).abs() + (behind - at).abs()
        slope = (1 / width)[:, None, :]
        ramp = torch.addcmul((0.5 - at / width)[:, None, :], up, slope)
        found.append(ramp.clamp_(0, 1))
    above, over = found
    inside = _view(lung, patch)
    torch.mul(cavity, above, out=inside)
    torch.sub(cavity, inside, out=_view(cover, patch))
    inside *= over.neg_().add_(1)


def _shift(fields: torch.Tensor, maps: DepthMaps, pose: Stance, first: int) -> torch.Tensor:
    """Columns of the turned body at the world's x, plane by plane."""
    grid = maps.grid
    tangent = pose.facing * pose.sine / pose.cosine
    found = torch.empty(
        (*fields.shape[:2], grid.rows, grid.columns), device=fields.device, dtype=fields.dtype
    )
    for plane in range(fields.shape[1]):
        y = grid.first_y_mm + (first + plane) * grid.step_y_mm
        start = y * tangent / grid.step_x_mm + maps.frame
        whole = math.floor(start)
        here = fields[:, plane, :, whole : whole + grid.columns]
        beside = fields[:, plane, :, whole + 1 : whole + 1 + grid.columns]
        torch.lerp(here, beside, start - whole, out=found[:, plane])
    return found


def _cut(
    back: torch.Tensor,
    front: torch.Tensor,
    left: torch.Tensor,
    up: torch.Tensor,
    pose: Stance,
    grid: VoxelGrid,
) -> _Patch:
    """The depths `back` and `front` (a, in mm) as planes, within the box where there are any."""
    there = front > back
    if not bool(there.any()):
        return _Patch(slice(0, 0), slice(0, 0), back[:0, :0], front[:0, :0], 0, 0)
    rows, columns = (_span(there.any(dim=d)) for d in (1, 0))
    back, front, there = (m[rows, columns] for m in (back, front, there))
    turned = left[None, columns] * pose.sine
    lean = pose.lean * up[rows][:, None]
    near, far = (turned + (a + lean) * pose.cosine for a in (back, front))
    if pose.facing < 0:
        near, far = -far, -near
    near, far = ((y - grid.first_y_mm) / grid.step_y_mm for y in (near, far))
    # Nothing where there is none: an interval that ends before it begins.
    far = torch.where(there, far, near - 1)
    first = math.floor(float(near[there].min()))
    return _Patch(
        rows, columns, near.contiguous(), far.contiguous(), first, math.ceil(float(far.max())) + 1
    )


def _enlarge(
    find: Callable[[torch.Tensor, torch.Tensor], Solid],
    left: torch.Tensor,
    up: torch.Tensor,
    pose: Stance,
) -> Solid:
    """Maps of a blend, which is smooth and costly: found at every third place, and enlarged."""
    few = [
        torch.linspace(float(at[0]), float(at[-1]), len(at) // 3 + 2, device=at.device)
        for at in (left, up)
    ]
    found = find(few[0][None, :] - pose.bow(few[1])[:, None], few[1][:, None])
    centre, square = F.interpolate(
        torch.stack([found.centre, found.square])[None],
        (len(up), len(left)),
        mode="bicubic",
        align_corners=True,
    )[0]
    return Solid(centre, square)


def _span(any_there: torch.Tensor) -> slice:
    where = any_there.nonzero()
    return slice(int(where[0]), int(where[-1]) + 1)


def depth_range(
    outline: Outline, pose: Stance, field: VoxelGrid, device: torch.device
) -> tuple[float, float]:
    """Least and largest y in mm of the body within the rows and columns of `field`."""
    coarse = 8.0
    columns = math.ceil(field.columns * field.step_x_mm * 1.2 / coarse)
    rows = math.ceil(field.rows * field.step_z_mm * 1.2 / coarse)
    left = field.left_x_mm * 1.2 + coarse * torch.arange(columns, device=device)
    up = field.top_z_mm * 1.2 - coarse * torch.arange(rows, device=device)
    lat, s = left[None, :] - pose.bow(up)[:, None], up[:, None]
    low, high = 0.0, 1.0
    for found in (outline.skin_solid(lat, s), *(part.solid(lat, s) for part in outline.breasts)):
        there = found.square > 0
        if not bool(there.any()):
            continue
        for depth in (found.back, found.front):
            y = pose.facing * (left[None] * pose.sine + (depth + pose.lean * s) * pose.cosine)
            low = min(low, float(y[there].min()))
            high = max(high, float(y[there].max()))
    return low - 3.0, high + 3.0


def _lung_density(body: BodyParameters, chest: Chest, up: torch.Tensor) -> torch.Tensor:
    """Density of parenchyma over water's: the tissue stays, the air goes with the breath."""
    mean = body.lung_density / body.inspiration
    share = ((chest.level(0.5) - up) / (chest.apex_s - chest.base_s)).clamp(-0.5, 0.5)
    return (mean * (1 + body.gravity_gradient * share)).clamp(0, 1)
