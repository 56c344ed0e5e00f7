"""Phantoms as any consumer of an anatomy sees them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.simulate.anatomy import Slab
from dfsynth.simulate.beam import ConeBeam, VoxelGrid
from dfsynth.simulate.phantom import BodyParameters, PhantomAnatomy, draw_body

CPU = torch.device("cpu")
FIELD_MM = 400.0


def phantom(seed: int, side: int = 96, **changes: object) -> PhantomAnatomy:
    body = draw_body(np.random.default_rng(seed))
    if changes:
        fields = {name: getattr(body, name) for name in BodyParameters.__dataclass_fields__}
        body = BodyParameters(**{**fields, **changes})  # type: ignore[arg-type]
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
