"""How a body goes on where its scan ends: an image is often taller than a CT volume.

Beyond the first and the last slice it is mirrored. Above, shoulders taper to a neck and bone ends
but for the spine; below, a lung that was cut off peters out and gas is left out. All of it is
assumed, and none of it is meant to show more than a body's edge.
"""

import torch

from dfsynth.simulate.ct.thorax import CtThorax
from dfsynth.simulate.ct.tissues import BONE, COVER, LUNG, LUNG_MASS, SOFT

_RECESS_MM = 18.0
_SHOULDER_MM = 60.0
_CLAVICLE_MM = 15.0
_BODY_MM = 260.0
_NECK_MM = 62.0
_VERTEBRA_MM = 45.0
_EDGE_MM = 8.0
_TISSUE_DENSITY = 1.04


def mirror_row(row: torch.Tensor, face: float) -> torch.Tensor:
    """`row` as it is within ± `face`, reflected there once beyond."""
    return row - 2 * (row.abs() - face).clamp(min=0) * row.sign()


def extend_body(
    thorax: CtThorax, found: torch.Tensor, place: torch.Tensor, face: float
) -> torch.Tensor:
    """The fields (5, n) at points beyond the scan, from those of their mirror images `found`.

    `place` (3, n) is column, row and plane of the points themselves, in [−1, 1] between the
    volume's faces; the last slices lie at ± `face`.
    """
    column, row, plane = place
    planes, rows, columns = thorax.fields.shape[1:]
    beyond_mm = (row.abs() - face).clamp(min=0) * (rows / 2 * thorax.step_mm)
    above = row < 0
    x_mm = (column * columns / 2 + (columns - 1) / 2 - thorax.neck[1]) * thorax.step_mm
    y_mm = (plane * planes / 2 + (planes - 1) / 2 - thorax.neck[0]) * thorax.step_mm
    radius_mm = torch.hypot(x_mm, y_mm)
    fall = (beyond_mm / _SHOULDER_MM).clamp(max=1).sqrt()
    body_mm = _BODY_MM + (_NECK_MM - _BODY_MM) * fall
    bone_mm = _BODY_MM + (_VERTEBRA_MM - _BODY_MM) * (beyond_mm / _CLAVICLE_MM).clamp(max=1)
    in_body = _inside(radius_mm, body_mm).where(above, 1)
    in_bone = _inside(radius_mm, bone_mm).where(above, 1)
    stays = (1 - beyond_mm / _RECESS_MM).clamp(min=0).where(~above, 0)
    lung = found[LUNG] * stays
    lost = found[LUNG] - lung
    soft = found[SOFT] + lost * _TISSUE_DENSITY + found[BONE] * (1 - in_bone)
    filled = torch.maximum(soft, found[COVER] * (1 - found[BONE]) - lung).where(~above, soft)
    fields = torch.empty_like(found)
    fields[SOFT] = filled * in_body
    fields[BONE] = found[BONE] * in_bone * in_body
    fields[LUNG] = lung
    fields[LUNG_MASS] = found[LUNG_MASS] * stays
    fields[COVER] = (found[COVER] + lost.where(~above, 0)).clamp(max=1) * in_body
    return fields


def _inside(radius_mm: torch.Tensor, reach_mm: torch.Tensor) -> torch.Tensor:
    return ((reach_mm - radius_mm) / _EDGE_MM).clamp(0, 1)
