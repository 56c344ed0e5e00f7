"""Transverse sections of procedural chests: shell, spine, ribs, heart, and two ventilated lungs."""

from dataclasses import replace
from typing import Final

import numpy as np
import torch

from dfsynth.records import Parameter
from dfsynth.simulation.columns import phantom_columns
from dfsynth.simulation.dark_field_ct.patient_slice import fill_section
from dfsynth.simulation.dark_field_ct.sections import (
    Section,
    draw_section_pose,
    pose_section,
    rows_with_lungs,
)
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.phantom import BodyParameters, PhantomAnatomy, draw_body
from dfsynth.simulation.projection.anatomy import Elements
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import draw_tissue

_PROBE: Final = ConeBeam(rows=64, columns=64, pixel_mm=8.0)
_PROBE_STEP_MM: Final = 8.0
_WIDEST_MM: Final = 640.0
_DEEPEST_MM: Final = 480.0
_STEP_RANGE_MM: Final = (0.5, 1.5)
_THICKNESS_MM: Final = 4.0
"""Of a section, over which ribs and vessels are averaged [assumed]."""
_ROWS: Final = 3
_RAISED_ARMS_DEG: Final = (150.0, 172.0)
"""Their abduction in a scanner."""
_RAISED_SHOULDERS_MM: Final = (20.0, 55.0)
"""How much higher shoulders are with them than beside the body [assumed]."""
_BLOOD_DENSITY: Final = 1.06
_MUSCLE_DENSITY: Final = 1.05
_LEAST_DENSITY: Final = 0.2
"""Of what is skin with something behind it, over water's; muscle without skin is less."""


def draw_chest(
    size: int,
    streams: Streams,
    device: torch.device,
    severity: tuple[float, float] = (0.0, 1.0),
    without: frozenset[str] = frozenset(),
) -> SliceObject:
    """Draws a procedural chest that lies on its back, cut where both lungs are large.

    The lungs' healthy coefficient is drawn from N(2.5, 0.4) 1/m; unevenness, emphysema and
    opacities are layers of the lung tissue that pairs of radiographs have as well.

    Args:
        size: pixels along each side, even; the field of view is about 400 mm.
        streams: what everything is drawn from.
        device: where it is computed.
        severity: least and greatest severity of emphysema, 0 to 1.
        without: layers of the lung tissue that are switched off.

    Raises:
        ValueError: an odd size.
    """
    tissue = draw_tissue(streams, severity, without)
    body = _raise_arms(draw_body(streams("body"), supine_share=1.0), streams("arms"))
    level_mm = _draw_level(body, streams("level"), device)
    pose = draw_section_pose(streams("pose"))
    section = pose_section(cut_chest(body, level_mm, pose.field_mm / size, device), pose, size)
    drawn: dict[str, Parameter] = {
        "object": "chest",
        **{k: v for k, v in phantom_columns(body).items() if k != "projection"},
        "section_level_mm": level_mm,
        **pose.columns,
    }
    return fill_section(section, tissue, streams, drawn)


def _raise_arms(body: BodyParameters, rng: np.random.Generator) -> BodyParameters:
    return replace(
        body,
        arm_abduction_deg=float(rng.uniform(*_RAISED_ARMS_DEG)),
        shoulder_height_mm=body.shoulder_height_mm + float(rng.uniform(*_RAISED_SHOULDERS_MM)),
    )


def cut_chest(
    body: BodyParameters, level_mm: float, pixel_mm: float, device: torch.device
) -> Section:
    """The section of `body` at `level_mm` above the middle of its chest.

    Its pitch suits pixels of `pixel_mm`.
    """
    step_mm = min(max(pixel_mm / 2, _STEP_RANGE_MM[0]), _STEP_RANGE_MM[1])
    grid = _section_grid(level_mm, step_mm)
    beam = ConeBeam(1, grid.columns, step_mm, centre_z_mm=level_mm)
    anatomy = PhantomAnatomy(body, beam, device)
    slab = anatomy.fill(grid)
    soft, cover, lung, mass = (
        field.mean(dim=1)
        for field in (slab.soft, slab.cover, slab.lung, slab.lung * slab.lung_density)
    )
    # The neck's muscles may leave its skin, and spines of vertebrae a thin back.
    soft = torch.where(soft < _LEAST_DENSITY, 0.0, soft)
    inside = (soft / _MUSCLE_DENSITY + lung).clamp(max=1)
    bone = torch.minimum(_deposit(anatomy.bones, grid, level_mm), inside)
    vessel = torch.minimum(_deposit(anatomy.vessels, grid, level_mm), lung)
    left = 1 - vessel / lung.clamp_min(1e-6)
    # Bone in place of muscle, blood in place of parenchyma.
    soft = (soft - bone * _MUSCLE_DENSITY).clamp_min(0) + vessel * _BLOOD_DENSITY
    fields = torch.stack([soft, bone, cover, lung * left, mass * left])
    return Section(fields, step_mm, anatomy.inflation, None)


def _section_grid(level_mm: float, step_mm: float) -> VoxelGrid:
    """A few rows about the level, as wide and deep as any body with raised arms."""
    columns, planes = (round(side_mm / step_mm) for side_mm in (_WIDEST_MM, _DEEPEST_MM))
    return VoxelGrid(
        planes=planes,
        rows=_ROWS,
        columns=columns,
        first_y_mm=-(planes - 1) / 2 * step_mm,
        top_z_mm=level_mm + (_ROWS - 1) / 2 * _THICKNESS_MM / _ROWS,
        left_x_mm=-(columns - 1) / 2 * step_mm,
        step_y_mm=step_mm,
        step_z_mm=_THICKNESS_MM / _ROWS,
        step_x_mm=step_mm,
    )


def _draw_level(body: BodyParameters, rng: np.random.Generator, device: torch.device) -> float:
    """A level in mm at which both lungs are large."""
    grid, whole = PhantomAnatomy(body, _PROBE, device).coarse(_PROBE_STEP_MM)
    rows = rows_with_lungs(whole.lung, _PROBE_STEP_MM)
    if len(rows) == 0:
        raise ValueError(f"no level of the phantom has two large lungs: {body}")
    row = float(rng.choice(rows)) + float(rng.uniform(-0.5, 0.5))
    return grid.top_z_mm - row * grid.step_z_mm


def _deposit(elements: Elements, grid: VoxelGrid, level_mm: float) -> torch.Tensor:
    """Share of each pixel (planes, columns) that elements fill around `level_mm`."""
    x, y, z = elements.points_mm.unbind(-1)
    near = (z - level_mm).abs() <= _THICKNESS_MM / 2
    column = (x[near] - grid.left_x_mm) / grid.step_x_mm
    plane = (y[near] - grid.first_y_mm) / grid.step_y_mm
    share = elements.volumes_mm3[near] / (_THICKNESS_MM * grid.step_x_mm * grid.step_y_mm)
    found = torch.zeros(grid.planes * grid.columns, device=share.device)
    for next_plane in (0, 1):
        for next_column in (0, 1):
            p, c = plane.floor().long() + next_plane, column.floor().long() + next_column
            weight = (1 - (plane - p).abs()) * (1 - (column - c).abs()) * share
            inside = (p >= 0) & (p < grid.planes) & (c >= 0) & (c < grid.columns)
            found.index_add_(0, (p * grid.columns + c)[inside], weight[inside])
    return found.view(grid.planes, grid.columns)
