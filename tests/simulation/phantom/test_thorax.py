"""Phantoms as any consumer of an anatomy sees them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.simulation.phantom import BodyParameters, PhantomAnatomy, Projection, draw_body
from dfsynth.simulation.projection.anatomy import Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid

CPU = torch.device("cpu")
FIELD_MM = 400.0


def phantom(seed: int, side: int = 96, **changes: object) -> PhantomAnatomy:
    body = draw_body(np.random.default_rng(seed))
    if changes:
        fields = {name: getattr(body, name) for name in BodyParameters.__dataclass_fields__}
        body = BodyParameters(**{**fields, **changes})
    return PhantomAnatomy(body, ConeBeam(side, side, FIELD_MM / side), CPU)


def whole(anatomy: PhantomAnatomy) -> tuple[VoxelGrid, Slab]:
    return anatomy.coarse(6.0)


def lung_litres(anatomy: PhantomAnatomy) -> float:
    grid, slab = whole(anatomy)
    return float(slab.lung.sum()) * grid.voxel_mm3 * 1e-6


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_shares_are_shares(seed: int) -> None:
    for slab in phantom(seed, side=64).slabs(16):
        for field in (slab.soft, slab.bone, slab.lung, slab.lung_density, slab.cover):
            assert bool(torch.isfinite(field).all())
            assert float(field.min()) >= 0
        for field in (slab.bone, slab.lung, slab.cover, slab.lung_density):
            assert float(field.max()) <= 1 + 1e-5
        # Muscle is the densest of soft tissues.
        assert float((slab.soft / 1.05 + slab.lung).max()) <= 1 + 1e-4
        assert float((slab.lung + slab.cover).max()) <= 1 + 1e-4


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_every_body_has_two_lungs(seed: int) -> None:
    grid, slab = whole(phantom(seed))
    per_column = slab.lung.sum(dim=(0, 1)) * grid.voxel_mm3 * 1e-6
    left = grid.x_mm(CPU) > 0
    for side in (left, ~left):
        assert 0.5 < float(per_column[side].sum()) < 6


def test_the_same_body_is_the_same_phantom() -> None:
    first, second = phantom(5), phantom(5)
    for one, other in zip(first.slabs(32), second.slabs(32), strict=True):
        assert torch.equal(one.soft, other.soft)
        assert torch.equal(one.lung, other.lung)
    assert torch.equal(first.bones.points_mm, second.bones.points_mm)
    assert torch.equal(first.vessels.points_mm, second.vessels.points_mm)


def test_planes_may_come_in_any_portions() -> None:
    anatomy = phantom(3)
    parts = list(anatomy.slabs(7))
    (at_once,) = anatomy.slabs(10_000)
    assert [part.first for part in parts] == list(range(0, anatomy.grid.planes, 7))
    assert torch.allclose(torch.cat([p.soft for p in parts]), at_once.soft, atol=1e-4)
    assert torch.allclose(torch.cat([p.lung for p in parts]), at_once.lung, atol=1e-4)


def test_a_portion_of_no_planes_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one plane"):
        next(phantom(0).slabs(0))


def test_the_hearts_apex_is_on_the_images_right() -> None:
    for seed in range(6):
        anatomy = phantom(seed, rotation_deg=0.0, scoliosis_mm=0.0, roll_deg=0.0)
        grid, slab = whole(anatomy)
        above = grid.z_mm(CPU) - max(anatomy.facts.right_dome_s, anatomy.facts.left_dome_s)
        heart = slab.cover.sum(dim=0)[(above > 5) & (above < 40)].sum(dim=0)
        x = grid.x_mm(CPU)
        assert float((heart * x).sum() / heart.sum()) > 3


def test_the_chest_faces_the_detector_only_from_behind() -> None:
    """From behind, the spine lies on the source's side: y is small there."""
    for projection, sign in ((Projection.PA, 1), (Projection.AP, -1)):
        bones = phantom(7, projection=projection).bones
        middle = bones.points_mm[:, 0].abs() < 8
        y = bones.points_mm[middle, 1]
        spine = float((y * bones.volumes_mm3[middle]).sum() / bones.volumes_mm3[middle].sum())
        assert spine * sign < 0


def test_turning_the_body_keeps_its_volumes() -> None:
    straight, turned = (phantom(9, rotation_deg=angle) for angle in (0.0, 8.0))
    assert lung_litres(turned) == pytest.approx(lung_litres(straight), rel=0.01)


def test_the_most_bowed_body_keeps_its_lungs_inside() -> None:
    for bow in (-40.0, 40.0):
        _, slab = whole(phantom(6, scoliosis_mm=bow, roll_deg=6.0))
        assert float((slab.soft / 1.05 + slab.lung).max()) <= 1 + 1e-4
        # Skin and muscle lie before and behind every part of the lungs.
        lung = slab.lung.sum(dim=0) > 0.5
        outside = (slab.soft.sum(dim=0) < 1.0) & lung
        assert not bool(outside.any())


def test_voxels_of_any_size_hold_the_same_lung() -> None:
    anatomy = phantom(4, side=192)
    fine = sum(float(slab.lung.sum()) for slab in anatomy.slabs(16)) * anatomy.grid.voxel_mm3
    assert fine * 1e-6 == pytest.approx(lung_litres(anatomy), rel=0.01)


def test_voxels_are_as_wide_as_the_pixel_within_bounds() -> None:
    for side, expected in ((64, 2.0), (256, FIELD_MM / 256), (800, 1.0)):
        assert phantom(0, side=side).grid.step_x_mm == pytest.approx(expected)


def test_what_is_not_asked_for_is_not_held() -> None:
    """A portion of planes needs little more memory than the portion itself."""
    anatomy = phantom(1, side=192)
    slabs = anatomy.slabs(4)
    grid = anatomy.grid
    for slab in slabs:
        assert slab.lung.shape[0] <= 4
        assert slab.lung.shape[1:] == (grid.rows, grid.columns)
        assert slab.lung_density.untyped_storage().nbytes() <= 4 * grid.rows * 4
