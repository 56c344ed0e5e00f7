"""Segmentation of a thorax whose parts are known, and what is refused for its lungs."""

import numpy as np
import pytest
from ct_volumes import thorax_hu, volume_of
from dicom_slices import PIXEL_MM

from dfsynth.errors import ImageError
from dfsynth.simulation.ct import CtLimits
from dfsynth.simulation.ct.cavity import outline_cavity
from dfsynth.simulation.ct.lungs import LungMasks, find_body, segment_lungs
from dfsynth.simulation.ct.resampling import Cubes, cut_into_cubes, resampling_weights
from dfsynth.simulation.ct.tissues import COVER, tissue_fields

LIMITS = CtLimits()


@pytest.fixture(scope="module")
def cubes(hu: np.ndarray) -> Cubes:
    return cut_into_cubes(volume_of(hu))


@pytest.fixture(scope="module")
def masks(cubes: Cubes) -> LungMasks:
    return segmented(cubes)


def segmented(cubes: Cubes) -> LungMasks:
    return segment_lungs("made", cubes, find_body("made", cubes), LIMITS)


def at(cubes: Cubes, x: float, y: float, z: float) -> tuple[int, int, int]:
    """Index of a point given in mm to the left, back and up."""
    planes, rows, columns = cubes.hu.shape
    step = cubes.step_mm
    return (
        round((planes - 1) / 2 - y / step),
        round((rows - 1) / 2 - z / step),
        round((columns - 1) / 2 + x / step),
    )


def test_cubes_are_no_coarser_than_promised(cubes: Cubes) -> None:
    assert cubes.step_mm == 2.0
    assert abs(cubes.hu.shape[0] * 2 - 90 * PIXEL_MM) < 2


@pytest.mark.parametrize(("spacing", "step"), [(5.0, 1.75), (2.5, 2.0), (0.7, 2.0), (1.6, 1.6)])
def test_resampling_keeps_constants_and_straight_lines(spacing: float, step: float) -> None:
    weights = resampling_weights(60, spacing, step)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    place = (np.arange(60) - 59 / 2) * spacing
    found = weights @ place
    expected = (np.arange(len(weights)) - (len(weights) - 1) / 2) * step
    inner = np.abs(expected) < np.abs(place).max() - 2 * max(spacing, step)
    np.testing.assert_allclose(found[inner], expected[inner], atol=2e-2 * max(spacing, step))


def test_lungs_have_their_volumes_and_sides(masks: LungMasks, cubes: Cubes) -> None:
    ml = cubes.step_mm**3 / 1000
    right, left = masks.right.sum() * ml, masks.left.sum() * ml
    assert right > 1.15 * left
    assert 950 < left < right < 1800
    assert masks.right[at(cubes, -75, 0, 20)]
    assert masks.left[at(cubes, 75, 0, 20)]
    assert not (masks.right & masks.left).any()
    assert not masks.cut


def test_the_airway_is_no_lung(masks: LungMasks, cubes: Cubes) -> None:
    for z in (30, 70, 110):
        assert masks.airway[at(cubes, 0, 15, z)]
    assert not (masks.airway & masks.lungs).any()
    assert 15 < masks.airway.sum() * cubes.step_mm**3 / 1000 < 50


def test_a_vessel_inside_a_lung_belongs_to_its_outline(masks: LungMasks, cubes: Cubes) -> None:
    assert masks.right[at(cubes, -75, 15, 10)]


def test_the_table_is_no_body(masks: LungMasks, cubes: Cubes) -> None:
    assert not masks.body[at(cubes, 0, 121, 0)]
    assert not masks.body[at(cubes, 100, 121, 50)]
    assert masks.body[at(cubes, 0, 98, 0)]
    assert masks.body[at(cubes, 150, 0, 0)]


def test_organs_are_told_from_the_spine(masks: LungMasks, cubes: Cubes) -> None:
    cavity = outline_cavity(cubes, masks)
    assert cavity.organs[at(cubes, 22, -25, -35)], "the heart"
    assert cavity.organs[at(cubes, -70, 0, -95)], "the liver"
    assert not cavity.organs[at(cubes, 0, 70, 0)], "the spine"
    assert not cavity.organs[at(cubes, 75, 0, 20)], "the lung"
    assert not cavity.organs[at(cubes, 150, 0, 0)], "the chest's wall"
    assert cavity.spine[at(cubes, 0, 70, 0)]


def test_vertebral_bodies_cover_as_organs_do(masks: LungMasks, cubes: Cubes) -> None:
    """Both lungs may reach in front of them where the mediastinum is thinner than outlines ask."""
    cavity = outline_cavity(cubes, masks)
    bodies = cavity.vertebral_bodies
    assert bodies[at(cubes, 0, 62, 70)]
    assert not bodies[at(cubes, 0, 85, 70)], "the arch"
    assert not bodies[at(cubes, 24, 62, 70)], "beside the body"
    assert not (bodies & masks.lungs).any()
    assert not (bodies & ~cavity.spine).any()
    cover = tissue_fields(cubes, cubes, masks, cavity)[COVER]
    assert cover[at(cubes, 0, 62, 70)] > 0.9
    assert cover[at(cubes, 22, -25, -35)] > 0.9, "the heart"


def test_a_dense_patch_inside_a_lung_is_no_organ(hu: np.ndarray) -> None:
    patch = hu.copy()
    z, y, x = np.ogrid[: hu.shape[0], : hu.shape[1], : hu.shape[2]]
    ball = (z - 48) ** 2 + (y - 45) ** 2 + (x - 24) ** 2 < 9**2
    patch[ball] = 40
    dense = cut_into_cubes(volume_of(patch))
    organs = outline_cavity(dense, segmented(dense)).organs
    assert not organs[at(dense, (26 - 61.5) * 3, 0, 20)]
    assert organs[at(dense, 22, -25, -35)]


def test_domes_sink_most_and_the_wall_and_the_spine_stay(masks: LungMasks, cubes: Cubes) -> None:
    sinking = outline_cavity(cubes, masks).sinking

    def sinks(x: float, y: float, z: float) -> float:
        return float(sinking[tuple(i // 2 for i in at(cubes, x, y, z))])

    assert sinks(-75, 0, -40) > 0.8 > sinks(-75, 0, 30) > sinks(-75, 0, 90)
    assert sinks(0, 72, -20) < 0.05
    assert sinks(155, 0, -20) < 0.05
    assert 0 <= sinking.min() <= sinking.max() <= 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_lung_is_not_enough(side: str) -> None:
    with pytest.raises(ImageError, match=r"made: .*two whole lungs"):
        segmented(cut_into_cubes(volume_of(thorax_hu(**{side: False}))))


def test_a_body_without_lungs_is_refused() -> None:
    solid = thorax_hu(left=False, right=False)
    with pytest.raises(ImageError, match="no lungs found"):
        segmented(cut_into_cubes(volume_of(solid)))


@pytest.mark.parametrize(
    ("part", "name"),
    [
        (np.s_[:, :, :80], "left"),
        (np.s_[:, :, 45:], "right"),
        (np.s_[:, 32:, :], "front"),
        (np.s_[:, :60, :], "back"),
    ],
)
def test_lungs_cut_open_at_a_side_are_refused(
    hu: np.ndarray, part: tuple[slice, ...], name: str
) -> None:
    with pytest.raises(ImageError, match="lung"):
        segmented(cut_into_cubes(volume_of(hu[part])))


def test_half_lungs_are_refused_and_a_missing_tip_is_flagged(hu: np.ndarray) -> None:
    with pytest.raises(ImageError, match="at the last slice"):
        segmented(cut_into_cubes(volume_of(hu[35:])))
    assert segmented(cut_into_cubes(volume_of(hu[:-11]))).cut


def test_contrast_agent_does_not_move_the_lungs(masks: LungMasks) -> None:
    bright = cut_into_cubes(volume_of(thorax_hu(heart=300)))
    found = segmented(bright)
    assert (found.lungs ^ masks.lungs).sum() < 0.01 * masks.lungs.sum()
