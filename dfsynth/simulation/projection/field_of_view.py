"""Where the image's edges fall: the beam over a pair of lungs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from dfsynth.simulation.projection.anatomy import Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid

_LARGEST_FIELD_MM: Final = 460.0
"""A little more than the 43 cm of the largest common detector, seen in the plane y = 0."""


@dataclass(frozen=True, slots=True)
class LungBox:
    """Edges of both lungs in the world, in mm."""

    left_mm: float
    right_mm: float
    bottom_mm: float
    top_mm: float


@dataclass(frozen=True, slots=True)
class FieldOfView:
    """How an image is placed over the lungs; margins in mm, negative ones cut lung off."""

    beside_mm: float
    """Least margin left and right of the lungs."""
    above_mm: float
    below_mm: float
    shift_mm: float
    """Of the image's middle to the right."""
    source_mm: float
    """From the source to the middle of the chest."""


def draw_field_of_view(rng: np.random.Generator, projection: str) -> FieldOfView:
    """Draws a field of view as archives show it [assumed]: PA at 1.8 m, AP at 1 to 1.4 m.

    The margins leave the outlined lung about a quarter to a third of the image, as in public
    sets with drawn outlines.
    """
    near = projection != "PA"
    return FieldOfView(
        beside_mm=float(np.clip(rng.normal(54, 20), -4, 110)),
        above_mm=float(np.clip(rng.normal(48, 18), 0, 100)),
        below_mm=float(np.clip(rng.normal(64, 28), -6, 130)),
        shift_mm=float(rng.normal(0, 6)),
        source_mm=float(rng.uniform(1000, 1400) if near else rng.uniform(1600, 1850)),
    )


def find_lungs(grid: VoxelGrid, slab: Slab) -> LungBox | None:
    """The box around the lungs of a whole body on a coarse grid; None where there is no lung."""
    inside = slab.lung > 0.5
    rows = torch.nonzero(inside.any(dim=2).any(dim=0)).flatten()
    columns = torch.nonzero(inside.any(dim=1).any(dim=0)).flatten()
    if len(rows) == 0:
        return None
    z, x = grid.z_mm(slab.lung.device), grid.x_mm(slab.lung.device)
    return LungBox(
        left_mm=float(x[columns[0]]),
        right_mm=float(x[columns[-1]]),
        bottom_mm=float(z[rows[-1]]),
        top_mm=float(z[rows[0]]),
    )


def frame_lungs(
    field_of_view: FieldOfView,
    lungs: LungBox,
    grid: VoxelGrid,
    body_mm: tuple[float, float],
    size: int,
) -> ConeBeam:
    """A square image of `size` pixels over the lungs, within what the body holds.

    `body_mm` is the lowest and the highest z at which there is body: the image never looks past
    the end of a scan, whose rays spread with depth.
    """
    width = lungs.right_mm - lungs.left_mm + 2 * field_of_view.beside_mm
    height = lungs.top_mm - lungs.bottom_mm + field_of_view.above_mm + field_of_view.below_mm
    back = grid.first_y_mm + grid.step_y_mm * (grid.planes - 1)
    # A ray at the rim leaves the plane y = 0 by this much until it has left the body.
    spread = (field_of_view.source_mm + back) / field_of_view.source_mm
    side = min(max(width, height), _LARGEST_FIELD_MM, (body_mm[1] - body_mm[0]) / spread)
    middle = (lungs.top_mm + field_of_view.above_mm + lungs.bottom_mm - field_of_view.below_mm) / 2
    reach = side / 2 * spread
    return ConeBeam(
        rows=size,
        columns=size,
        pixel_mm=side / size,
        source_mm=field_of_view.source_mm,
        centre_x_mm=(lungs.left_mm + lungs.right_mm) / 2 + field_of_view.shift_mm,
        centre_z_mm=float(np.clip(middle, body_mm[0] + reach, body_mm[1] - reach)),
    )
