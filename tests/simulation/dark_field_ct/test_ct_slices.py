"""Slices of CT volumes: lungs scatter, nothing else does, and the table is gone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.errors import ImageError
from dfsynth.simulation.ct import CtLimits, CtThorax, build_thorax, read_volume
from dfsynth.simulation.ct.tissues import BONE, LUNG, LUNG_MASS, SOFT
from dfsynth.simulation.dark_field_ct.coefficients import mu_per_m
from dfsynth.simulation.dark_field_ct.ct_sections import cut_thorax
from dfsynth.simulation.dark_field_ct.ct_slices import draw_ct_slice, lung_rows
from dfsynth.simulation.dark_field_ct.sections import SectionPose, pose_section, rows_with_lungs
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.volumes import list_volumes

SIZE = 160
PLAIN = frozenset({"emphysema", "opacities", "heterogeneity"})


def check(drawn: SliceObject) -> None:
    """What every slice of a chest fulfils."""
    assert not (drawn.lung_mask & drawn.air_mask).any()
    assert 60 < drawn.lung_mask.sum() * drawn.pixel_mm**2 / 100 < 500
    assert 0.15 < drawn.air_mask.mean() < 0.7
    dark_field = drawn.dark_field_per_m
    assert dark_field[drawn.air_mask == 1].max() == 0
    assert dark_field[drawn.lung_mask == 1].sum() > 0.95 * dark_field.sum()
    eps = drawn.parameters["eps_bar_per_m"]
    assert isinstance(eps, float)
    assert 0.5 < eps < 6.5


@pytest.mark.parametrize("seed", range(4))
def test_a_slice_shows_both_lungs(thorax: CtThorax, seed: int) -> None:
    drawn = draw_ct_slice(thorax, SIZE, Streams(seed), without=PLAIN)
    check(drawn)
    away = ndimage.distance_transform_edt(drawn.lung_mask == 0)
    soft = (np.abs(drawn.mu_per_m / mu_per_m("water") - 1.04) < 0.05) & (away > 2)
    assert soft.mean() > 0.05
    # Slivers of lung thinner than half a pixel are outlined by no one.
    assert drawn.dark_field_per_m[soft].mean() < 0.002


def test_the_table_is_gone_and_the_back_lies_below(thorax: CtThorax) -> None:
    drawn = draw_ct_slice(thorax, SIZE, Streams(1), without=PLAIN)
    body = np.argwhere(drawn.mu_per_m > 5)
    # The table was 118 mm behind the middle of a body that ends at 105 mm.
    depth_mm = (body[:, 0].max() - body[:, 0].min() + 1) * drawn.pixel_mm
    assert depth_mm < 2 * 105 * 1.07 + 12
    bone = np.argwhere(drawn.mu_per_m > 1.2 * mu_per_m("water"))
    assert bone[:, 0].mean() > body[:, 0].mean() + 30 / drawn.pixel_mm


def test_equal_seeds_give_equal_slices_and_others_do_not(thorax: CtThorax) -> None:
    first, again, other = (draw_ct_slice(thorax, SIZE, Streams(n)) for n in (3, 3, 4))
    assert np.array_equal(first.dark_field_per_m, again.dark_field_per_m)
    assert not np.array_equal(first.dark_field_per_m, other.dark_field_per_m)
    assert first.parameters["section_rotation_deg"] != other.parameters["section_rotation_deg"]


def test_splitting_vessels_keeps_the_mass(thorax: CtThorax) -> None:
    row = int(rows_with_lungs(thorax.fields[LUNG], thorax.step_mm)[20])
    before, after = thorax.fields[:, :, row], cut_thorax(thorax, row).fields
    masses = [float((f[SOFT] + f[LUNG_MASS]).sum()) for f in (before, after)]
    assert masses[1] == pytest.approx(masses[0], rel=1e-4)
    assert float(after[BONE].sum()) == pytest.approx(float(before[BONE].sum()), rel=1e-5)
    assert 0.9 < float(after[LUNG].sum() / before[LUNG].sum()) <= 1
    # Parenchyma that is dense in one pixel alone would shine.
    density = (after[LUNG_MASS] / after[LUNG].clamp(min=0.02))[after[LUNG] > 0.5]
    assert float(density.max()) < 0.35


def test_a_pose_scales_areas_and_keeps_densities(thorax: CtThorax) -> None:
    section = cut_thorax(thorax, int(rows_with_lungs(thorax.fields[LUNG], thorax.step_mm)[20]))
    area_mm2 = float(section.fields[LUNG].sum()) * section.step_mm**2
    pose = SectionPose(1.05, 6.0, 10.0, -12.0, 400.0)
    posed = pose_section(section, pose, 200)
    assert float(posed.fields[LUNG].sum()) * posed.step_mm**2 == pytest.approx(
        area_mm2 * 1.05**2, rel=0.01
    )
    straight = pose_section(section, replace(pose, rotation_deg=0.0, shift_x_mm=0.0), 200)
    moved = [
        float((f.fields[LUNG].sum(dim=0).numpy() * np.arange(200)).sum() / f.fields[LUNG].sum())
        for f in (straight, pose_section(section, replace(pose, rotation_deg=0.0), 200))
    ]
    assert (moved[1] - moved[0]) * posed.step_mm == pytest.approx(10.0, abs=0.3)


def test_a_chest_without_a_large_slice_is_refused(thorax: CtThorax) -> None:
    tiny = replace(thorax, step_mm=thorax.step_mm / 5)
    with pytest.raises(ImageError, match="30 cm² of each lung"):
        lung_rows(tiny)
    assert len(lung_rows(thorax)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cmb_crc", "lidc", "lung_dx", "midrc"])
def test_real_chests_give_slices(shared_data: Path, name: str) -> None:
    found = list_volumes(shared_data / "ct").candidates
    candidate = next(c for c in found if c.key.startswith(name))
    thorax = build_thorax(read_volume(candidate, CtLimits()), CtLimits())
    for seed in range(3):
        check(draw_ct_slice(thorax, SIZE, Streams(seed)))
