"""A patient's lung tissue, laid over the voxels of a simple body."""

import itertools
from dataclasses import replace

import pytest
import torch
from simple_anatomy import SimpleAnatomy

from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.projected_body import LungFacts, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters, draw_tissue
from dfsynth.simulation.tissue.emphysema import EmphysemaParameters
from dfsynth.simulation.tissue.opacities import OpacityParameters
from dfsynth.simulation.tissue.parameters import HeterogeneityParameters

BEAM = ConeBeam(48, 48, 7.0, source_mm=1e6)
PLAIN = TissueParameters(2.5, None, None, None)
ANATOMY = SimpleAnatomy()


def facts_of(parameters: TissueParameters, seed: int = 1, **changes: float) -> LungFacts:
    anatomy = replace(ANATOMY, **changes)
    tissue = LungTissue(parameters, anatomy, Streams(seed))
    return project_body(anatomy, tissue, parameters.eps_healthy_per_m, BEAM).facts


@pytest.mark.parametrize("density", [0.1, 0.2, 0.35])
def test_healthy_lungs_have_the_mean_coefficient_that_was_asked_for(density: float) -> None:
    # At full inspiration, whatever the density of the lung is there.
    facts = facts_of(PLAIN, density=density)
    assert facts.eps_bar_per_m == pytest.approx(2.5, rel=1e-4)
    assert facts.sdf_m2 == pytest.approx(2.5 * facts.volume_l / 1000, rel=1e-4)
    assert facts.volume_l == pytest.approx(2 * 1.677, rel=0.02)
    assert facts.laa950 == 0.0


def test_an_emptier_lung_scatters_more_by_the_exponent_of_its_density() -> None:
    full, empty = facts_of(PLAIN), facts_of(PLAIN, inflation=0.7, density=0.2 / 0.7)
    assert empty.eps_bar_per_m / full.eps_bar_per_m == pytest.approx(0.7**-0.82, rel=1e-4)


@pytest.mark.parametrize(
    ("severity", "ratio", "tolerance"),
    [(0.0, 1.0, 1e-6), (0.1, 0.95, 0.02), (0.3, 0.88, 0.03), (0.6, 0.70, 0.03), (1.0, 0.50, 0.04)],
)
def test_emphysema_lowers_the_mean_coefficient_as_cohorts_show(
    severity: float, ratio: float, tolerance: float
) -> None:
    emphysema = EmphysemaParameters(severity, 1.0, (400.0, 800.0))
    found = [
        facts_of(replace(PLAIN, emphysema=emphysema), seed).eps_bar_per_m / 2.5 for seed in (1, 2)
    ]
    assert sum(found) / 2 == pytest.approx(ratio, abs=tolerance)


def test_more_emphysema_means_more_low_attenuation_and_little_less_mass() -> None:
    low, mass = [], []
    for severity in (0.0, 0.3, 0.6, 1.0):
        emphysema = EmphysemaParameters(severity, 1.0, (400.0, 800.0))
        tissue = LungTissue(replace(PLAIN, emphysema=emphysema), ANATOMY, Streams(5))
        body = project_body(ANATOMY, tissue, 2.5, BEAM)
        low.append(body.facts.laa950)
        mass.append(float(body.water_mm.sum()))
    assert low == sorted(low)
    assert low[0] == 0.0 < low[1]
    assert 0.15 < low[-1] < 0.40
    assert mass[-1] / mass[0] > 0.96


@pytest.mark.parametrize(
    "opacity",
    [
        OpacityParameters("ground_glass", 6, (15.0, 40.0), 0.5, 0.5, 0.9),
        OpacityParameters("consolidation", 2, (30.0, 50.0), 0.95, 0.5, 0.2),
    ],
)
def test_opacities_lower_the_signal_and_raise_attenuation_everywhere(
    opacity: OpacityParameters,
) -> None:
    with_it = LungTissue(replace(PLAIN, opacities=opacity), ANATOMY, Streams(3))
    without = LungTissue(PLAIN, ANATOMY, Streams(3))
    ill, well = (project_body(ANATOMY, t, 2.5, BEAM) for t in (with_it, without))
    assert (ill.dark_field <= well.dark_field + 1e-5).all()
    assert (ill.water_mm >= well.water_mm - 1e-3).all()
    assert ill.dark_field.sum() < 0.99 * well.dark_field.sum()
    assert ill.severity.max() < 1e-4  # not emphysema


def test_heterogeneity_keeps_the_mean_and_has_the_spread_that_was_asked_for() -> None:
    # The layer's field grows from 0.1 in healthy lung to the patient's own.
    parameters = replace(PLAIN, heterogeneity=HeterogeneityParameters(12.0, 0.3))
    tissue = LungTissue(parameters, ANATOMY, Streams(2))
    slab = next(iter(ANATOMY.slabs(ANATOMY.grid.planes)))
    found = tissue.fill(slab, ANATOMY.grid).coefficient[slab.lung > 0.99]
    assert float(found.std() / found.mean()) == pytest.approx(0.3, rel=0.25)
    assert facts_of(parameters).eps_bar_per_m == pytest.approx(2.5, rel=0.04)


def test_a_layer_that_is_off_leaves_the_draws_of_the_others_alone() -> None:
    everything = draw_tissue(Streams(9), (0.2, 1.0), frozenset())
    less = draw_tissue(Streams(9), (0.2, 1.0), frozenset({"opacities"}))
    assert less == replace(everything, opacities=None)
    off = draw_tissue(
        Streams(9), (0.2, 1.0), frozenset({"opacities", "emphysema", "heterogeneity"})
    )
    assert off == TissueParameters(everything.eps_healthy_per_m, None, None, None)


@pytest.mark.parametrize(
    ("ratio", "missing"), [(1.05, 0.9), (1.0, 0.9), (0.86, 0.6), (0.70, 0.3), (0.50, 0.0)]
)
def test_emphysema_that_a_lung_brings_along_is_not_drawn_again(
    ratio: float, missing: float
) -> None:
    drawn = draw_tissue(Streams(9), (0.9, 0.9), frozenset(), ratio)
    assert drawn.severity == pytest.approx(missing)
    assert drawn.heterogeneity is not None
    assert drawn.heterogeneity.cv == pytest.approx(0.1 + 0.4 * missing)
    # All else of the patient is as without.
    other = draw_tissue(Streams(9), (0.9, 0.9), frozenset())
    assert drawn.eps_healthy_per_m == other.eps_healthy_per_m
    assert drawn.opacities == other.opacities


def test_what_is_laid_over_an_ill_lung_leaves_no_less_than_the_worst_disease() -> None:
    worst = facts_of(replace(PLAIN, emphysema=EmphysemaParameters(1.0, 1.0, (400.0, 800.0))))
    for ratio in (0.55, 0.7, 0.9):
        emphysema = draw_tissue(Streams(9), (1.0, 1.0), frozenset(), ratio).emphysema
        laid = facts_of(replace(PLAIN, emphysema=emphysema))
        assert ratio * laid.eps_bar_per_m > 0.9 * worst.eps_bar_per_m


def test_destroyed_lung_comes_in_clusters_of_all_sizes() -> None:
    from scipy import ndimage

    emphysema = EmphysemaParameters(0.6, 1.0, (400.0, 800.0))
    anatomy = replace(ANATOMY, step_mm=3.0)
    tissue = LungTissue(replace(PLAIN, emphysema=emphysema), anatomy, Streams(4))
    slab = next(iter(anatomy.slabs(anatomy.grid.planes)))
    low = (tissue.fill(slab, anatomy.grid).density < 0.05) & (slab.lung > 0.5)
    labels, count = ndimage.label(low.numpy())
    sizes = torch.from_numpy(ndimage.sum_labels(low.numpy(), labels, range(1, count + 1)))
    assert count > 30
    # Many small ones, few large ones, over more than two decades.
    assert float(sizes.max() / sizes.median()) > 100


def test_severity_is_zero_where_nothing_is_destroyed_or_widened() -> None:
    # However uneven the coefficient of a patient is.
    uneven = replace(PLAIN, heterogeneity=HeterogeneityParameters(20.0, 0.5))
    for severity in (0.0, 1e-6):
        emphysema = EmphysemaParameters(severity, 1.0, (400.0, 800.0))
        tissue = LungTissue(replace(uneven, emphysema=emphysema), ANATOMY, Streams(4))
        assert project_body(ANATOMY, tissue, 2.5, BEAM).severity.max() < 0.01


def test_severity_grows_everywhere_with_the_patients() -> None:
    maps = []
    for severity in (0.1, 0.4, 0.7, 1.0):
        parameters = replace(
            PLAIN,
            emphysema=EmphysemaParameters(severity, 1.0, (400.0, 800.0)),
            heterogeneity=HeterogeneityParameters(20.0, 0.1 + 0.4 * severity),
        )
        tissue = LungTissue(parameters, ANATOMY, Streams(4))
        body = project_body(ANATOMY, tissue, 2.5, BEAM)
        maps.append(body.severity[body.lung_mm > 20])
    for less, more in itertools.pairwise(maps):
        assert (more > less - 0.01).all()


def test_severity_map_is_the_share_of_signal_that_is_lost() -> None:
    emphysema = EmphysemaParameters(1.0, 0.0, (400.0, 800.0))
    tissue = LungTissue(replace(PLAIN, emphysema=emphysema), ANATOMY, Streams(4))
    ill = project_body(ANATOMY, tissue, 2.5, BEAM)
    well = project_body(ANATOMY, LungTissue(PLAIN, ANATOMY, Streams(4)), 2.5, BEAM)
    thick = well.lung_mm > 20
    expected = 1 - ill.dark_field[thick] / well.dark_field[thick]
    assert abs(ill.severity[thick] - expected).max() < 1e-3
    assert well.severity.max() < 1e-4
