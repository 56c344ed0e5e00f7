"""A transverse section of a body before its lung tissue is laid in: shares of tissue by pixel."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from dfsynth.records import Float32Map, Parameter
from dfsynth.simulation.ct.tissues import BONE, LUNG, SOFT

LEAST_LUNG_MM2: Final = 3000.0
"""Area of each lung from which on a section is used [assumed]."""
_SAMPLES: Final = 2
"""A side of a pixel, that thin walls keep their mass."""
_BODY: Final = 0.1
_FIELD_MM: Final = (385.0, 425.0)
_MARGIN: Final = 1.04
"""Field of view over the smallest that holds the body."""


@dataclass(frozen=True, slots=True)
class Section:
    """One transverse section (y, x) seen from the feet: back below, patient's left to the right.

    Every field holds a share of each pixel, as those of a slab of voxels do.
    """

    fields: torch.Tensor
    """(5, y, x) float32, in the channels of `ct.tissues`."""
    step_mm: float
    """Pitch of the pixels."""
    inflation: float
    """Volume of the lungs over that at full inspiration, in (0, 1]."""
    healthy_density: float | None
    """Of the parenchyma without the disease that is in the fields, over water's; None where they
    hold none."""


@dataclass(frozen=True, slots=True)
class SectionPose:
    """How a section lies in the scanner; ranges of `draw_section_pose` are assumed."""

    scale: float
    """Size of the body over its own."""
    rotation_deg: float
    """In the plane of the section, clockwise as seen."""
    shift_x_mm: float
    """Of the body's middle from the axis of rotation, to the patient's left."""
    shift_y_mm: float
    """The same to the back."""
    field_mm: float
    """Field of view, unless the body needs a wider one."""

    @property
    def columns(self) -> dict[str, Parameter]:
        """What is drawn, by names that tell units."""
        return {
            "section_scale": self.scale,
            "section_rotation_deg": self.rotation_deg,
            "section_shift_x_mm": self.shift_x_mm,
            "section_shift_y_mm": self.shift_y_mm,
        }


def draw_section_pose(rng: np.random.Generator) -> SectionPose:
    """A patient who lies a little off the axis and a little askew."""
    return SectionPose(
        scale=float(rng.uniform(0.93, 1.07)),
        rotation_deg=float(np.clip(rng.normal(0, 3), -8, 8)),
        shift_x_mm=float(np.clip(rng.normal(0, 6), -15, 15)),
        shift_y_mm=float(np.clip(rng.normal(0, 8), -20, 20)),
        field_mm=float(rng.uniform(*_FIELD_MM)),
    )


def pose_section(section: Section, pose: SectionPose, size: int) -> Section:
    """The section in the scanner, `size` pixels square, with all of the body in the field of view.

    Raises:
        ValueError: there is no body in it.
    """
    centre, reach_mm = _reach(section)
    shift_mm = math.hypot(pose.shift_x_mm, pose.shift_y_mm)
    side_mm = max(pose.field_mm, 2 * _MARGIN * (reach_mm * pose.scale + shift_mm))
    step_mm = side_mm / size
    fine = (torch.arange(size * _SAMPLES) + 0.5) * (step_mm / _SAMPLES) - side_mm / 2
    x = (fine[None, :] - pose.shift_x_mm) / pose.scale
    y = (fine[:, None] - pose.shift_y_mm) / pose.scale
    angle = math.radians(pose.rotation_deg)
    column = (math.cos(angle) * x + math.sin(angle) * y) / section.step_mm + centre[1]
    row = (math.cos(angle) * y - math.sin(angle) * x) / section.step_mm + centre[0]
    rows, columns = section.fields.shape[1:]
    where = torch.stack([(2 * column + 1) / columns - 1, (2 * row + 1) / rows - 1], dim=-1)
    found = F.grid_sample(
        section.fields[None],
        where[None].to(section.fields.device),
        padding_mode="zeros",
        align_corners=False,
    )
    return Section(
        F.avg_pool2d(found, _SAMPLES)[0], step_mm, section.inflation, section.healthy_density
    )


def lung_areas_mm2(lung: torch.Tensor, step_mm: float) -> NDArray[np.float64]:
    """Area in mm² of the lung on both sides of the middle column of all lung, (2, rows).

    `lung` (planes, rows, columns) holds shares of cubes of `step_mm`; rows run down the body.
    """
    columns = torch.nonzero(lung.any(dim=0).any(dim=0)).flatten()
    middle = (int(columns[0]) + int(columns[-1]) + 1) // 2 if len(columns) else 0
    sides = (lung[:, :, :middle], lung[:, :, middle:])
    areas = [side.sum(dim=(0, 2), dtype=torch.float64) for side in sides]
    return np.asarray(torch.stack(areas).cpu().numpy() * step_mm**2)


def rows_with_lungs(lung: torch.Tensor, step_mm: float) -> NDArray[np.int64]:
    """Rows of `lung` (planes, rows, columns) in which both lungs are large enough."""
    return np.flatnonzero((lung_areas_mm2(lung, step_mm) >= LEAST_LUNG_MM2).all(axis=0))


def body_share(fields: torch.Tensor) -> Float32Map:
    """Share of each pixel that is any tissue, (y, x), of a section's `fields`."""
    tissue = fields[SOFT] + fields[BONE] + fields[LUNG]
    return np.asarray(tissue.clamp(max=1).cpu().numpy(), np.float32)


def _reach(section: Section) -> tuple[tuple[float, float], float]:
    """Middle of the body (row, column) in pixels, and its farthest point from there in mm."""
    found = np.argwhere(body_share(section.fields) > _BODY)
    if len(found) == 0:
        raise ValueError("the section has no body in it; expected a section through a chest")
    centre = (found.min(axis=0) + found.max(axis=0)) / 2
    reach_mm = float(np.hypot(*(found - centre).T).max() + 1) * section.step_mm
    return (float(centre[0]), float(centre[1])), reach_mm
