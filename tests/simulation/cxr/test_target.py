"""The drawn dark-field image: physics shared with phantoms, and what the radiograph says."""

from dataclasses import replace

import numpy as np
import pytest
from segmented_chest import SIDE, WHOLE, Chest, dome

from dfsynth.lung_segmentation.network import LungPrediction
from dfsynth.lung_segmentation.regions import NotAChestRadiograph
from dfsynth.simulation.cxr.symmetric_lungs import SymmetricLungs
from dfsynth.simulation.cxr.target import (
    CxrParameters,
    CxrTarget,
    assumed_pixel_mm,
    draw_cxr,
    lay_dark_field,
    shape_thickness,
)
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters
from dfsynth.simulation.tissue.parameters import HeterogeneityParameters

PIXEL_MM = 3.0
ALL_LAYERS = frozenset({"heterogeneity", "emphysema", "opacities"})


def plain(eps_per_m: float = 2.5) -> CxrParameters:
    return CxrParameters(TissueParameters(eps_per_m, None, None, None), 1.0, False)


def lay(
    chest: Chest, parameters: CxrParameters, seed: int = 0, pixel_mm: float | None = PIXEL_MM
) -> CxrTarget:
    return lay_dark_field(chest.image, WHOLE, chest.prediction, parameters, Streams(seed), pixel_mm)


def drawn(severity: float, seed: int = 0, without: frozenset[str] = frozenset()) -> CxrParameters:
    return draw_cxr(Streams(seed), (severity, severity), without)


def test_a_plain_lung_scatters_by_its_thickness_alone(chest: Chest) -> None:
    target = lay(chest, plain(2.5))
    np.testing.assert_allclose(
        target.dark_field_clean, 2.5e-3 * target.lung_mm, rtol=2e-3, atol=1e-6
    )
    assert target.eps_bar_per_m == pytest.approx(2.5, rel=2e-3)
    assert not target.severity.any()
    assert target.laa950 == 0


def test_no_signal_where_there_is_no_lung(chest: Chest) -> None:
    target = lay(chest, drawn(0.6))
    outside = target.lung_labels == 0
    assert not target.dark_field_clean[outside].any()
    assert not target.severity[outside].any()
    assert not target.lung_mm[outside].any()
    assert (target.dark_field_clean >= 0).all()
    assert ((target.transmission > 0) & (target.transmission <= 1)).all()


def test_volume_and_total_signal_are_those_of_the_maps(chest: Chest) -> None:
    target = lay(chest, drawn(0.4))
    area_m2 = (PIXEL_MM / 1000) ** 2
    assert target.sdf_m2 == pytest.approx(target.dark_field_clean.sum() * area_m2, rel=1e-5)
    volume_m3 = target.lung_mm.sum() / 1000 * area_m2
    assert target.lung_volume_l == pytest.approx(1000 * volume_m3, rel=1e-5)
    assert target.sdf_m2 is not None
    assert target.eps_bar_per_m == pytest.approx(target.sdf_m2 / volume_m3, rel=1e-5)


def test_without_a_pixel_pitch_there_is_a_coefficient_but_no_volume(chest: Chest) -> None:
    known, unknown = lay(chest, plain()), lay(chest, plain(), pixel_mm=None)
    assert (unknown.lung_volume_l, unknown.sdf_m2) == (None, None)
    assert unknown.eps_bar_per_m == pytest.approx(known.eps_bar_per_m, rel=1e-3)
    np.testing.assert_allclose(unknown.dark_field_clean, known.dark_field_clean, rtol=1e-2)


def test_equal_seeds_give_equal_targets_and_others_do_not(chest: Chest) -> None:
    first, again = (lay(chest, drawn(0.5, 7), 7) for _ in range(2))
    other = lay(chest, drawn(0.5, 8), 8)
    assert np.array_equal(first.dark_field_clean, again.dark_field_clean)
    assert not np.array_equal(first.dark_field_clean, other.dark_field_clean)


def test_the_cohort_has_the_published_coefficient() -> None:
    eps = [drawn(0, seed, ALL_LAYERS).tissue.eps_healthy_per_m for seed in range(400)]
    assert np.mean(eps) == pytest.approx(2.5, abs=0.06)
    assert np.std(eps) == pytest.approx(0.4, abs=0.06)


@pytest.mark.parametrize(("severity", "ratio"), [(0.1, 0.96), (0.6, 0.70), (1.0, 0.50)])
def test_emphysema_lowers_the_coefficient_as_in_phantoms(
    chest: Chest, severity: float, ratio: float
) -> None:
    ratios = []
    for seed in range(3):
        ill = drawn(severity, seed, frozenset({"heterogeneity", "opacities"}))
        target = lay(chest, ill, seed)
        ratios.append(target.eps_bar_per_m / ill.tissue.eps_healthy_per_m)
        taken = target.severity[target.lung_labels > 0].mean()
        assert taken == pytest.approx(1 - ratios[-1], abs=0.06)
    assert np.mean(ratios) == pytest.approx(ratio, abs=0.05)


def test_low_attenuation_grows_with_severity(chest: Chest) -> None:
    laa = [lay(chest, drawn(s)).laa950 for s in (0.1, 0.5, 1.0)]
    assert laa == sorted(laa)
    assert 0.2 < laa[-1] < 0.5


def test_a_thick_lung_averages_its_heterogeneity_away() -> None:
    """Over a thickness L a field of correlation c keeps about sqrt(c √π / L) of its variation."""
    correlation_mm, cv = 15.0, 0.3
    layers = TissueParameters(2.5, HeterogeneityParameters(correlation_mm, cv), None, None)
    found = {}
    for thickness_mm in (20.0, 80.0, 200.0):
        slab = np.zeros((SIDE, SIDE), np.float32)
        slab[14:114, 14:114] = thickness_mm
        lungs = SymmetricLungs(slab, PIXEL_MM)
        grid, coarse = lungs.coarse(5.0)
        voxels = LungTissue(layers, lungs, Streams(1)).fill(coarse, grid)
        along = (coarse.lung * voxels.healthy).sum(0) / coarse.lung.sum(0)
        inner = along[12:-12, 12:-12]
        found[thickness_mm] = float(inner.std() / inner.mean())
    # The healthy field has a CV of 0.1 at any severity.
    for thickness_mm in (80.0, 200.0):
        expected = 0.1 * np.sqrt(correlation_mm * np.sqrt(np.pi) / thickness_mm)
        assert found[thickness_mm] == pytest.approx(expected, rel=0.35)
    assert 0.05 < found[20.0] < 0.1


def test_lungs_in_three_dimensions_have_the_read_thickness() -> None:
    thickness = 160 * dome(64, 64, 50, 40)
    lungs = SymmetricLungs(thickness, PIXEL_MM)
    grid, slab = lungs.coarse(6.0)
    volume = float(slab.lung.sum()) * grid.voxel_mm3
    assert volume == pytest.approx(float(thickness.sum()) * PIXEL_MM**2, rel=1e-3)
    assert float(slab.lung[0].sum() + slab.lung[-1].sum()) == 0
    parts = [part.lung for part in lungs.slabs(8)]
    assert sum(len(p) for p in parts) == lungs.grid.planes


def test_an_opacity_of_the_radiograph_lowers_the_signal_there(chest: Chest) -> None:
    image = chest.image.copy()
    image[dome(70, 38, 12, 12) > 0] = 0.72
    opaque = replace(chest, image=image)
    shown = lay(opaque, replace(plain(), shows_opacities=True))
    hidden = lay(opaque, plain())
    assert shown.dark_field_clean[70, 38] < 0.7 * hidden.dark_field_clean[70, 38]
    assert shown.dark_field_clean[60, 95] > 0.85 * hidden.dark_field_clean[60, 95]
    assert (shown.dark_field_clean <= hidden.dark_field_clean + 1e-6).all()
    assert shown.aeration.max() == 1
    np.testing.assert_array_equal(hidden.aeration, 1)


def test_thickness_is_round_at_the_rim_and_nothing_beyond() -> None:
    any_lung = dome(64, 64, 50, 40) > 0
    shaped = shape_thickness(np.full((SIDE, SIDE), 120, np.float32), any_lung, WHOLE)
    assert not shaped[~any_lung].any()
    assert shaped[64, 64] == pytest.approx(120, rel=0.01)
    row = shaped[64, 20:40]
    assert (np.diff(row) > -1e-3).all()
    assert 0 < row[row > 0][0] < 90


def test_a_lung_that_the_image_cuts_does_not_thin_out_there() -> None:
    any_lung = dome(64, 10, 50, 40) > 0
    content = (slice(0, SIDE), slice(10, SIDE))
    any_lung[:, :10] = False
    shaped = shape_thickness(np.full((SIDE, SIDE), 120, np.float32), any_lung, content)
    np.testing.assert_allclose(shaped[64, 10:46], 120, rtol=1e-5)
    assert shaped[64, 49] < 80
    assert not shaped[:, :10].any()


def test_deeper_patients_have_more_lung(chest: Chest) -> None:
    deep = lay(chest, replace(plain(), depth_factor=1.2))
    assert deep.lung_mm.sum() == pytest.approx(1.2 * lay(chest, plain()).lung_mm.sum(), rel=1e-4)
    factors = np.log([draw_cxr(Streams(s), (0, 1), frozenset()).depth_factor for s in range(300)])
    assert abs(factors.mean()) < 0.03


def test_layers_are_switched_off_one_by_one() -> None:
    for name in ALL_LAYERS - {"opacities"}:
        full, less = (drawn(0.5, 3, off) for off in (frozenset(), frozenset({name})))
        assert getattr(full.tissue, name) is not None
        assert getattr(less.tissue, name) is None
    assert drawn(0.5).tissue.opacities is None, "the radiograph would not show them"
    assert drawn(0.5).shows_opacities
    assert not drawn(0.5, 0, frozenset({"opacities"})).shows_opacities


def test_the_assumed_pitch_gives_an_adults_lungs() -> None:
    field = (dome(60, 38, 45, 22) + dome(60, 90, 45, 22)) > 0
    columns = np.flatnonzero(field.any(axis=0))
    assert assumed_pixel_mm(field) * (columns[-1] - columns[0] + 1) == pytest.approx(270)


def test_lungs_of_an_impossible_volume_are_refused(chest: Chest) -> None:
    thin = LungPrediction(
        chest.prediction.field,
        chest.prediction.any_lung,
        chest.prediction.thickness_mm / np.float32(50),
    )
    with pytest.raises(NotAChestRadiograph, match=r"would hold 0\.1 l"):
        lay(replace(chest, prediction=thin), plain())


def test_an_image_without_lungs_is_refused(chest: Chest) -> None:
    nothing = np.zeros_like(chest.image)
    with pytest.raises(NotAChestRadiograph):
        lay(replace(chest, prediction=LungPrediction(nothing, nothing, nothing)), plain())


def test_a_finer_image_has_the_same_patient(chest: Chest) -> None:
    def fine(values: np.ndarray) -> np.ndarray:
        return np.kron(values, np.ones((4, 4), np.float32)).astype(np.float32)

    read = chest.prediction
    large = Chest(
        fine(chest.image),
        LungPrediction(fine(read.field), fine(read.any_lung), fine(read.thickness_mm)),
    )
    layers = drawn(0.5)
    whole = (slice(0, 4 * SIDE), slice(0, 4 * SIDE))
    target = lay_dark_field(large.image, whole, large.prediction, layers, Streams(0), PIXEL_MM / 4)
    coarse = lay(chest, layers)
    assert target.dark_field_clean.shape == (4 * SIDE, 4 * SIDE)
    assert target.sdf_m2 == pytest.approx(coarse.sdf_m2, rel=0.03)
    means = target.dark_field_clean.reshape(SIDE, 4, SIDE, 4).mean(axis=(1, 3))
    assert np.corrcoef(means.ravel(), coarse.dark_field_clean.ravel())[0, 1] > 0.98
