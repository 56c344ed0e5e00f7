"""Projections against what a pencil and paper say of a point source."""

import numpy as np
import pytest
import torch

from dfsynth.simulation.projection.anatomy import Elements
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.projection.projector import deposit, obliquity, project

CPU = torch.device("cpu")
VOXEL_MM = 2.0


def cube(half_mm: float, voxel_mm: float = VOXEL_MM) -> VoxelGrid:
    count = 2 * round(half_mm / voxel_mm) + 1
    edge = (count - 1) / 2 * voxel_mm
    return VoxelGrid(count, count, count, -edge, edge, -edge, voxel_mm, voxel_mm, voxel_mm)


def voxelise(
    grid: VoxelGrid, semi_axes_mm: tuple[float, float, float], centre_mm: tuple[float, ...]
) -> torch.Tensor:
    """Partial volumes of an ellipsoid, (1, planes, rows, columns), from 5³ points a voxel."""
    axes = (
        (grid.x_mm(CPU), grid.step_x_mm, semi_axes_mm[0], centre_mm[0], (1, 1, -1)),
        (grid.y_mm(CPU), grid.step_y_mm, semi_axes_mm[1], centre_mm[1], (-1, 1, 1)),
        (grid.z_mm(CPU), grid.step_z_mm, semi_axes_mm[2], centre_mm[2], (1, -1, 1)),
    )
    share = torch.zeros(grid.planes, grid.rows, grid.columns)
    offsets = (torch.arange(5) - 2) / 5
    for dx in offsets:
        for dy in offsets:
            for dz in offsets:
                squares = [
                    (((mm + shift * step - centre) / semi) ** 2).view(view)
                    for (mm, step, semi, centre, view), shift in zip(
                        axes, (dx, dy, dz), strict=True
                    )
                ]
                share += (sum(squares) < 1).float()
    return share[None] / 125


def chords_mm(
    beam: ConeBeam, semi_axes_mm: tuple[float, float, float], centre_mm: tuple[float, ...]
) -> torch.Tensor:
    """Length of each ray inside an ellipsoid: the roots of a quadratic equation."""
    x = beam.centre_x_mm + beam.column_x_mm(CPU)
    z = beam.centre_z_mm + beam.row_z_mm(CPU)
    shape = (beam.rows, beam.columns)
    toward = torch.stack(
        [
            (x - beam.centre_x_mm)[None, :].expand(shape),
            torch.full(shape, beam.source_mm),
            (z - beam.centre_z_mm)[:, None].expand(shape),
        ],
        dim=-1,
    ).double()
    source = torch.tensor([beam.centre_x_mm, -beam.source_mm, beam.centre_z_mm]).double()
    semi = torch.tensor(semi_axes_mm).double()
    d, o = toward / semi, (source - torch.tensor(centre_mm).double()) / semi
    a, b, c = (d * d).sum(-1), 2 * (d * o).sum(-1), (o * o).sum(-1) - 1
    roots = (b * b - 4 * a * c).clamp_min(0).sqrt() / a
    return (roots * toward.norm(dim=-1)).float()


ELLIPSOIDS = [
    pytest.param((80.0, 80.0, 80.0), (0.0, 0.0, 0.0), id="sphere"),
    pytest.param((40.0, 40.0, 40.0), (50.0, -60.0, 30.0), id="small sphere, off the axis"),
    pytest.param((70.0, 100.0, 45.0), (-20.0, 15.0, 40.0), id="ellipsoid"),
]


@pytest.mark.parametrize(("semi_axes_mm", "centre_mm"), ELLIPSOIDS)
def test_an_ellipsoid_is_projected_within_one_percent(
    semi_axes_mm: tuple[float, float, float], centre_mm: tuple[float, float, float]
) -> None:
    grid, beam = cube(124.0), ConeBeam(128, 128, 2.0, source_mm=1500.0)
    expected = chords_mm(beam, semi_axes_mm, centre_mm)
    found = project(voxelise(grid, semi_axes_mm, centre_mm), 0, grid, beam)[0]
    peak = expected.max()
    # On the rim a chord grows as a square root; a voxel cannot follow it, nor does a pixel.
    interior = expected > 0.5 * peak
    assert (found - expected).abs()[interior].max() / peak < 0.01
    assert ((found - expected) ** 2).mean().sqrt() / expected[expected > 0].mean() < 0.01
    assert float(found.sum()) == pytest.approx(float(expected.sum()), rel=2e-3)


def test_a_slab_is_as_thick_as_the_ray_is_oblique() -> None:
    grid, beam = cube(160.0), ConeBeam(96, 64, 2.0, source_mm=900.0, centre_z_mm=12.0)
    fields = torch.zeros(1, grid.planes, grid.rows, grid.columns)
    fields[:, 40:90] = 0.7
    found = project(fields, 0, grid, beam)[0]
    expected = 0.7 * 50 * VOXEL_MM * obliquity(beam, CPU)
    assert ((found - expected).abs() / expected).max() < 1e-5
    assert float(expected.max() / expected.min()) > 1.005


@pytest.mark.parametrize("pixel_mm", [0.9, 1.7, 5.0])
def test_mass_is_kept_whatever_the_pixel(pixel_mm: float) -> None:
    # With the source far away there is no magnification, and mass is area times line integral.
    side = round(360 / pixel_mm)
    grid, beam = cube(60.0), ConeBeam(side, side, pixel_mm, source_mm=1e7)
    generator = torch.Generator().manual_seed(3)
    fields = torch.rand(2, grid.planes, grid.rows, grid.columns, generator=generator)
    found = project(fields, 0, grid, beam).sum(dim=(1, 2)) * pixel_mm**2
    expected = fields.sum(dim=(1, 2, 3)) * grid.voxel_mm3
    assert torch.allclose(found, expected, rtol=5e-3)


def test_mass_is_kept_by_the_cone_when_weighted_by_the_magnification() -> None:
    grid, beam = cube(60.0), ConeBeam(256, 256, 1.0, source_mm=700.0)
    fields = torch.zeros(1, grid.planes, grid.rows, grid.columns)
    fields[:, 7, 20:40, 20:40] = 1.0
    found = project(fields, 0, grid, beam)[0] / obliquity(beam, CPU)
    magnification = beam.magnification(grid.y_mm(CPU)[7])
    mass = found.sum() * beam.pixel_mm**2 / magnification**2
    assert float(mass) == pytest.approx(400 * grid.voxel_mm3, rel=2e-3)


def test_planes_may_come_in_any_portions() -> None:
    grid, beam = cube(40.0), ConeBeam(64, 64, 2.0)
    fields = torch.rand(3, grid.planes, grid.rows, grid.columns)
    whole = project(fields, 0, grid, beam)
    parts = sum(project(fields[:, a : a + 7], a, grid, beam) for a in range(0, grid.planes, 7))
    assert isinstance(parts, torch.Tensor)
    assert torch.allclose(whole, parts, rtol=1e-5, atol=1e-4)


def test_elements_and_voxels_of_one_body_agree() -> None:
    grid, beam = cube(60.0), ConeBeam(72, 72, 2.0, source_mm=1200.0, centre_x_mm=4.0)
    share = voxelise(grid, (30.0, 40.0, 25.0), (10.0, -20.0, 15.0))
    planes, rows, columns = torch.nonzero(share[0], as_tuple=True)
    points = torch.stack([grid.x_mm(CPU)[columns], grid.y_mm(CPU)[planes], grid.z_mm(CPU)[rows]], 1)
    elements = Elements(points, share[0, planes, rows, columns] * grid.voxel_mm3)
    from_voxels, from_elements = project(share, 0, grid, beam)[0], deposit(elements, beam)
    # Points make a moiré with the pixels that voxels do not: compared over 5 x 5 pixels.
    smooth = torch.nn.AvgPool2d(5, 1)
    difference = (smooth(from_voxels[None]) - smooth(from_elements[None])).abs().max()
    assert difference / from_voxels.max() < 0.02
    assert float(from_elements.sum()) == pytest.approx(float(from_voxels.sum()), rel=2e-3)


def test_what_leaves_the_detector_is_not_counted() -> None:
    beam = ConeBeam(8, 8, 1.0, source_mm=1e6)
    outside = torch.tensor([[30.0, 0.0, 0.0], [0.0, 0.0, -30.0], [-4.2, 0.0, 0.0]])
    image = deposit(Elements(outside, torch.ones(3)), beam)
    # The last one lies 0.7 of a pixel beyond the first column's centre.
    assert np.isclose(float(image.sum()), 0.3, atol=1e-3)
    assert float(deposit(Elements.none(CPU), beam).abs().sum()) == 0.0
