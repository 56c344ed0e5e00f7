"""How a body goes on where its scan ends: an image is often taller than a CT volume.

Beyond the first and the last slice neck and abdomen are mirrored. Above, beside the neck, the
first slice goes on as soft tissue that tapers to the neck: shoulders; below, a lung that was cut
off peters out and gas is left out. Of the bones the spine alone goes on. All of it is assumed, and
none of it is meant to show more than a body's edge.
"""

import torch
import torch.nn.functional as F

from dfsynth.simulation.ct.thorax import CtThorax
from dfsynth.simulation.ct.tissues import BONE, COVER, LUNG, LUNG_MASS, SOFT

_RECESS_MM = 18.0
_SHOULDER_MM = 60.0
_CLAVICLE_MM = 8.0
_RIB_MM = 35.0
_BLEND_MM = 10.0
_BODY_MM = 260.0
_NECK_MM = 62.0
_VERTEBRA_MM = 45.0
_EDGE_MM = 8.0
_TISSUE_DENSITY = 1.04


def mirror_row(row: torch.Tensor, face: float) -> torch.Tensor:
    """`row`, of any shape, as it is within ± `face`, reflected there once beyond."""
    return row - 2 * (row.abs() - face).clamp(min=0) * row.sign()


def extend_body(
    thorax: CtThorax, found: torch.Tensor, place: torch.Tensor, face: float
) -> torch.Tensor:
    """The fields (5, n) at points beyond the scan, from those of their mirror images `found`.

    Both hold the lung's density in place of LUNG_MASS.

    `place` (3, n) is column, row and plane of the points themselves, in [−1, 1] between the
    volume's faces; the last slices lie at ± `face`.
    """
    column, row, plane = place
    rows = thorax.fields.shape[2]
    beyond_mm = (row.abs() - face).clamp(min=0) * (rows / 2 * thorax.step_mm)
    above = row < 0
    neck_mm = _distance_mm(thorax, column, plane, thorax.neck)
    lumbar_mm = _distance_mm(thorax, column, plane, thorax.lumbar)
    fall = (beyond_mm / _SHOULDER_MM).clamp(max=1).sqrt()
    in_body = _inside(neck_mm, _BODY_MM + (_NECK_MM - _BODY_MM) * fall).where(above, 1)
    ends = (beyond_mm / torch.where(above, _CLAVICLE_MM, _RIB_MM)).clamp(max=1)
    spine_mm = torch.where(above, neck_mm, lumbar_mm)
    in_bone = _inside(spine_mm, _BODY_MM + (_VERTEBRA_MM - _BODY_MM) * ends.sqrt())
    stays = (1 - beyond_mm / _RECESS_MM).clamp(min=0).where(~above, 0)
    lung = found[LUNG] * stays
    lost = found[LUNG] - lung
    soft = found[SOFT] + lost * _TISSUE_DENSITY + found[BONE] * (1 - in_bone)
    filled = torch.maximum(soft, found[COVER] * (1 - found[BONE]) - lung).where(~above, soft)
    # Beside the neck: shoulders, and not the mirror image of what lies below them.
    beside = (beyond_mm / _BLEND_MM).clamp(max=1) * (1 - _inside(neck_mm, _NECK_MM))
    beside = beside.where(above, 0)
    crown = _crown(thorax, column, plane) * _TISSUE_DENSITY
    fields = torch.empty_like(found)
    fields[BONE] = found[BONE] * in_bone * in_body
    fields[SOFT] = torch.lerp(filled, crown, beside) * in_body
    fields[LUNG] = lung
    fields[LUNG_MASS] = found[LUNG_MASS].where(lung > 0, 0)
    fields[COVER] = (found[COVER] + lost.where(~above, 0)).clamp(max=1) * in_body
    return fields


def _distance_mm(
    thorax: CtThorax, column: torch.Tensor, plane: torch.Tensor, axis: tuple[float, float]
) -> torch.Tensor:
    """From a vertical axis, given as its plane and column."""
    planes, _, columns = thorax.fields.shape[1:]
    x = column * columns / 2 + (columns - 1) / 2 - axis[1]
    y = plane * planes / 2 + (planes - 1) / 2 - axis[0]
    return torch.hypot(x, y) * thorax.step_mm


def _crown(thorax: CtThorax, column: torch.Tensor, plane: torch.Tensor) -> torch.Tensor:
    where = torch.stack([column, plane], dim=-1)[None, None]
    return F.grid_sample(thorax.crown[None, None], where, align_corners=False)[0, 0, 0]


def _inside(radius_mm: torch.Tensor, reach_mm: torch.Tensor | float) -> torch.Tensor:
    return ((reach_mm - radius_mm) / _EDGE_MM).clamp(0, 1)
