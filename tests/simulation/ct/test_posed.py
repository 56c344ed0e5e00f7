"""A posed thorax: mass, sides, what moves where, and the same draw giving the same body."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from ct_volumes import thorax_hu, volume_of
from hypothesis import given, settings
from hypothesis import strategies as st

from dfsynth.simulation.ct import CtAnatomy, CtLimits, CtPose, CtThorax, build_thorax, draw_pose
from dfsynth.simulation.ct.placement import COLUMN, PLANE, ROW, place
from dfsynth.simulation.ct.tissues import BONE, LUNG, LUNG_MASS, SOFT
from dfsynth.simulation.projection.anatomy import Slab
from dfsynth.simulation.projection.beam import ConeBeam, VoxelGrid
from dfsynth.simulation.projection.projected_body import ProjectedBody, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters

BEAM = ConeBeam(200, 200, 2.2)
SMALL_FIELD = ConeBeam(48, 48, 4.0)
STRAIGHT = CtPose(
    scale=1.0,
    width=1.0,
    depth=1.0,
    height=1.0,
    wall=1.0,
    heart=1.0,
    yaw_deg=0.0,
    pitch_deg=0.0,
    roll_deg=0.0,
    inflation=1.0,
    widening=0.3,
    warp_mm=0.0,
    warp_scale_mm=100.0,
    warp_seed=0,
    gravity=0.0,
    antero_posterior=False,
)


def posed(thorax: CtThorax, **changes: Any) -> tuple[VoxelGrid, Slab]:
    pose = dataclasses.replace(STRAIGHT, **changes)
    return CtAnatomy(thorax, pose, BEAM).coarse(4.0)


def lung_sums(grid: VoxelGrid, slab: Slab) -> tuple[float, float]:
    """Litres and grams / 1000."""
    litres = float(slab.lung.sum(dtype=torch.float64)) * grid.voxel_mm3 / 1e6
    mass = float((slab.lung * slab.lung_density).sum(dtype=torch.float64)) * grid.voxel_mm3 / 1e6
    return litres, mass


def centre(values: torch.Tensor, grid: VoxelGrid) -> tuple[float, float, float]:
    device = values.device
    y, z, x = torch.meshgrid(grid.y_mm(device), grid.z_mm(device), grid.x_mm(device), indexing="ij")
    total = values.sum()
    x_mm, y_mm, z_mm = (float((values * axis).sum() / total) for axis in (x, y, z))
    return x_mm, y_mm, z_mm


def test_a_straight_pose_gives_the_scanned_lungs(thorax: CtThorax) -> None:
    litres, mass = lung_sums(*posed(thorax))
    assert litres == pytest.approx(thorax.lung_volume_l, rel=0.01)
    assert mass == pytest.approx(thorax.lung_volume_l * thorax.lung_density, rel=0.01)
    # −860 HU, and the vessel and the rim do not count.
    assert thorax.lung_density == pytest.approx(0.14, abs=0.012)


@pytest.mark.parametrize("inflation", [1.1, 1.3, 1.6])
@pytest.mark.parametrize("gravity", [0.0, 1.0])
def test_inflation_grows_the_volume_and_keeps_the_mass(
    thorax: CtThorax, inflation: float, gravity: float
) -> None:
    litres, mass = lung_sums(*posed(thorax, inflation=inflation, gravity=gravity))
    assert litres == pytest.approx(inflation * thorax.lung_volume_l, rel=0.02)
    assert mass == pytest.approx(thorax.lung_volume_l * thorax.lung_density, rel=0.02)


def test_scale_grows_volume_and_mass_alike(thorax: CtThorax) -> None:
    litres, mass = lung_sums(*posed(thorax, scale=1.06))
    assert litres == pytest.approx(1.06**3 * thorax.lung_volume_l, rel=0.01)
    assert mass / litres == pytest.approx(thorax.lung_density, rel=0.01)


def test_proportions_keep_volume_and_mass(thorax: CtThorax) -> None:
    litres, mass = lung_sums(*posed(thorax, width=1.1, depth=0.95, height=1 / (1.1 * 0.95)))
    assert litres == pytest.approx(thorax.lung_volume_l, rel=0.01)
    assert mass == pytest.approx(thorax.lung_volume_l * thorax.lung_density, rel=0.01)


def test_a_thicker_wall_is_more_soft_tissue_around_the_same_lungs(thorax: CtThorax) -> None:
    lean, plain, stout = (posed(thorax, wall=wall) for wall in (0.8, 1.0, 1.4))
    soft = [float(slab.soft.sum()) for _, slab in (lean, plain, stout)]
    assert soft[0] < 0.99 * soft[1]
    assert soft[2] > 1.02 * soft[1]
    assert lung_sums(*stout)[0] == pytest.approx(lung_sums(*plain)[0], rel=0.02)


def test_a_larger_heart_is_larger(thorax: CtThorax) -> None:
    sums = []
    for heart in (0.9, 1.0, 1.2):
        grid, slab = posed(thorax, heart=heart)
        sums.append(float(slab.cover[:, grid.z_mm(slab.cover.device) > -40].sum()))
    assert sums[0] < 0.98 * sums[1] < 0.96 * sums[2]


def test_the_heart_stays_on_the_left_in_either_view(thorax: CtThorax) -> None:
    for antero_posterior in (False, True):
        grid, slab = posed(thorax, antero_posterior=antero_posterior)
        chest = slab.cover * (grid.z_mm(slab.lung.device)[None, :, None] > -40)
        assert centre(chest, grid)[0] > 3
        x, y, _ = centre(slab.bone, grid)
        assert abs(x) < 4
        # The spine faces the source, unless the beam comes from the front.
        assert (y < -40) != antero_posterior


def test_each_angle_turns_the_way_it_says(thorax: CtThorax) -> None:
    spine = {}
    for name in ("yaw_deg", "pitch_deg", "roll_deg"):
        grid, slab = posed(thorax, **{name: 6.0})
        high = slab.bone * (grid.z_mm(slab.bone.device)[None, :, None] > 60)
        low = slab.bone * (grid.z_mm(slab.bone.device)[None, :, None] < -60)
        spine[name] = (centre(high, grid), centre(low, grid))
    assert spine["roll_deg"][0][0] > spine["roll_deg"][1][0] + 8
    assert spine["pitch_deg"][0][1] > spine["pitch_deg"][1][1] + 8
    # The front turns to the left, so the back turns to the right.
    assert spine["yaw_deg"][0][0] < -5


def test_the_domes_descend_and_the_chest_widens(thorax: CtThorax) -> None:
    heights, widths = [], []
    for inflation in (1.0, 1.4):
        _, slab = posed(thorax, inflation=inflation)
        inside = slab.lung > 0.5
        heights.append(int(inside.any(dim=2).any(dim=0).sum()) * 4)
        widths.append(int(inside.any(dim=1).any(dim=0).sum()) * 4)
    assert heights[1] > heights[0] + 20
    assert 0 <= widths[1] - widths[0] < 20


def test_density_turns_from_the_back_to_the_base(thorax: CtThorax) -> None:
    def slope(gravity: float, axis: int) -> float:
        grid, slab = posed(thorax, gravity=gravity)
        weight = slab.lung * (slab.lung > 0.99)
        return centre(weight * slab.lung_density, grid)[axis] - centre(weight, grid)[axis]

    assert thorax.gravity_per_mm == pytest.approx(0.6 / 140, rel=0.25)
    assert slope(0.0, 1) < -1 < slope(1.0, 1)
    assert slope(1.0, 2) < slope(0.0, 2) - 2


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_drawn_pose_folds_the_body(thorax: CtThorax, seed: int) -> None:
    pose = draw_pose(np.random.default_rng(seed))
    source = place(thorax, pose, (180.0, 130.0, 180.0)).source
    planes, rows, columns = thorax.fields.shape[1:]
    size = torch.tensor([columns, rows, planes]) * thorax.step_mm / 2
    where = source[[COLUMN, ROW, PLANE]] * size[:, None, None, None]
    steps = [torch.diff(where, dim=d)[:, : -1 or None, :-1, :-1] for d in (3, 2, 1)]
    smallest = [min(s.shape[d] for s in steps) for d in range(1, 4)]
    cut = [s[:, : smallest[0], : smallest[1], : smallest[2]] for s in steps]
    jacobian = torch.linalg.det(torch.stack(cut, dim=-1).movedim(0, -2))
    signs = jacobian.sign()
    assert (signs == signs.flatten()[0]).all()


def test_drawn_poses_stay_within_their_ranges() -> None:
    rng = np.random.default_rng(0)
    poses = [draw_pose(rng) for _ in range(300)]
    assert all(1.05 <= p.inflation <= 1.5 and 0.92 <= p.scale <= 1.08 for p in poses)
    assert all(abs(p.yaw_deg) <= 8 and abs(p.roll_deg) <= 5 for p in poses)
    assert all(p.width * p.depth * p.height == pytest.approx(1) for p in poses)
    assert 0.1 < np.mean([p.antero_posterior for p in poses]) < 0.3


def test_the_same_pose_gives_the_same_body(thorax: CtThorax) -> None:
    pose = draw_pose(np.random.default_rng(5))
    assert pose == draw_pose(np.random.default_rng(5))
    first, again = (next(CtAnatomy(thorax, pose, SMALL_FIELD).slabs(60)) for _ in range(2))
    assert torch.equal(first.soft, again.soft)
    other = dataclasses.replace(pose, warp_seed=pose.warp_seed + 1)
    assert not torch.equal(first.soft, next(CtAnatomy(thorax, other, SMALL_FIELD).slabs(60)).soft)


@pytest.mark.parametrize("planes", [1, 7, 1000])
def test_slabs_do_not_depend_on_how_many_planes_come_at_once(thorax: CtThorax, planes: int) -> None:
    anatomy = CtAnatomy(thorax, draw_pose(np.random.default_rng(8)), SMALL_FIELD)
    slabs = list(anatomy.slabs(planes))
    assert [s.first for s in slabs] == list(range(0, anatomy.grid.planes, planes))
    whole = torch.cat([s.soft for s in slabs])
    assert whole.shape == (anatomy.grid.planes, anatomy.grid.rows, anatomy.grid.columns)
    reference = torch.cat([s.soft for s in anatomy.slabs(16)])
    torch.testing.assert_close(whole, reference)


def projected(thorax: CtThorax, **changes: Any) -> ProjectedBody:
    anatomy = CtAnatomy(thorax, dataclasses.replace(STRAIGHT, **changes), SMALL_FIELD)
    tissue = LungTissue(TissueParameters(2.5, None, None, None), anatomy, Streams(0))
    return project_body(anatomy, tissue, 2.5, SMALL_FIELD)


@pytest.mark.parametrize("inflation", [1.0, 1.4])
def test_a_healthy_scan_has_the_mean_coefficient_that_was_asked_for(
    thorax: CtThorax, inflation: float
) -> None:
    facts = projected(thorax, inflation=inflation).facts
    assert facts.eps_bar_per_m == pytest.approx(2.5, rel=0.04)
    assert facts.eps_bar_healthy_per_m == pytest.approx(2.5, rel=0.01)


@pytest.mark.parametrize(
    ("disease", "ratio"), [({"destroyed_above": 30.0}, 0.8), ({"rarefied": 0.5}, 0.65)]
)
def test_emphysema_that_a_scan_shows_lowers_the_coefficient(
    thorax: CtThorax, disease: dict[str, float], ratio: float
) -> None:
    ill = build_thorax(volume_of(thorax_hu(**disease)), CtLimits())
    found = projected(ill, inflation=1.2).facts, projected(thorax, inflation=1.2).facts
    assert found[0].eps_bar_per_m < ratio * found[1].eps_bar_per_m
    assert found[0].laa950 > found[1].laa950
    assert found[0].eps_bar_healthy_per_m == pytest.approx(found[1].eps_bar_healthy_per_m, rel=0.05)


@pytest.mark.parametrize("disease", [{"destroyed_above": 30.0}, {"rarefied": 0.5}])
def test_a_thorax_knows_how_much_signal_its_own_emphysema_costs(
    thorax: CtThorax, disease: dict[str, float]
) -> None:
    ill = build_thorax(volume_of(thorax_hu(**disease)), CtLimits())
    facts = projected(ill).facts
    assert ill.scatter_ratio < 0.8
    assert ill.scatter_ratio == pytest.approx(facts.eps_bar_per_m / 2.5, rel=0.05)
    assert thorax.scatter_ratio == pytest.approx(1.0, rel=0.04)


def test_flooding_that_a_scan_shows_does_not_raise_the_rest(thorax: CtThorax) -> None:
    flooded = build_thorax(volume_of(thorax_hu(consolidated=True)), CtLimits())
    wet, dry = projected(flooded), projected(thorax)
    assert wet.facts.eps_bar_per_m < 0.97 * dry.facts.eps_bar_per_m
    left, right = slice(26, None), slice(0, 22)
    assert wet.dark_field[:, right].sum() < 0.95 * dry.dark_field[:, right].sum()
    assert wet.dark_field[:, left].sum() == pytest.approx(dry.dark_field[:, left].sum(), rel=0.02)


def test_fields_are_shares_of_one_voxel(thorax: CtThorax) -> None:
    anatomy = CtAnatomy(thorax, draw_pose(np.random.default_rng(3)), BEAM)
    for slab in anatomy.slabs(16):
        for share in (slab.bone, slab.lung, slab.lung_density, slab.cover):
            assert 0 <= share.min() <= share.max() <= 1 + 1e-5
        assert 0 <= slab.soft.min() <= slab.soft.max() < 1.2
        assert torch.isfinite(slab.soft).all()
        assert (slab.lung + slab.bone).max() < 1.05
    assert len(anatomy.bones.volumes_mm3) == len(anatomy.vessels.volumes_mm3) == 0
    assert 0 < anatomy.inflation <= 1


def test_the_body_goes_on_beyond_the_scan_without_more_lung(thorax: CtThorax) -> None:
    grid, slab = posed(thorax)
    z = grid.z_mm(slab.soft.device)
    scan = thorax.fields.shape[2] * thorax.step_mm / 2
    below, above = slab.soft[:, z < -scan - 12], slab.soft[:, z > scan + 12]
    assert below.max() > 0.9
    assert above.max() > 0.9
    assert (slab.lung[:, (z < -scan - 25)] == 0).all()
    assert (slab.lung[:, (z > scan + 15)] == 0).all()


def test_contrast_agent_in_the_heart_is_no_bone(thorax: CtThorax) -> None:
    bright = build_thorax(volume_of(thorax_hu(heart=320)), CtLimits())
    bone = [float(t.fields[BONE].sum()) for t in (thorax, bright)]
    assert bone[1] == pytest.approx(bone[0], rel=0.03)


def test_noise_of_the_scan_is_no_texture_of_the_lung() -> None:
    clean, noisy = (
        build_thorax(volume_of(thorax_hu(noise=noise)), CtLimits()) for noise in (1, 40)
    )
    inner = (clean.fields[LUNG] == 1) & (noisy.fields[LUNG] == 1)
    error = (noisy.fields[LUNG_MASS] - clean.fields[LUNG_MASS])[inner]
    assert inner.sum() > 0.8 * (clean.fields[LUNG] == 1).sum()
    assert error.std() < 0.025
    assert abs(error.mean()) < 0.002


def test_a_vessel_is_blood_and_no_lung(thorax: CtThorax) -> None:
    step = thorax.step_mm
    (back, front), (top, bottom), (right, _) = thorax.lung_box
    lung, soft = thorax.fields[LUNG], thorax.fields[SOFT]
    # The vessel runs at a quarter of the lungs' width; look across the middle of that side.
    row = (top + bottom) // 2 - round(20 / step)
    band = slice(right + round(30 / step), right + round(70 / step))
    section = lung[back + 5 : front - 5, row, band]
    assert section.min() < 0.1
    assert soft[back + 5 : front - 5, row, band].max() == pytest.approx(1.04, abs=0.04)
