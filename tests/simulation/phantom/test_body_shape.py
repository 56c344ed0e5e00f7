"""Who is drawn: volumes, domes and hearts of many bodies."""

import numpy as np
import pytest
import torch

from dfsynth.simulation.phantom import BodyParameters, PhantomAnatomy, Projection, Sex, draw_body
from dfsynth.simulation.projection.beam import ConeBeam

CPU = torch.device("cpu")
BODIES = 30


def anatomy(seed: int, inspiration: float) -> PhantomAnatomy:
    body = draw_body(np.random.default_rng(seed), inspiration=(inspiration, inspiration))
    return PhantomAnatomy(body, ConeBeam(48, 48, 10.0), CPU)


def lung_litres(phantom: PhantomAnatomy) -> float:
    grid, slab = phantom.coarse(6.0)
    return float(slab.lung.sum()) * grid.voxel_mm3 * 1e-6


def lung_kg(phantom: PhantomAnatomy) -> float:
    grid, slab = phantom.coarse(6.0)
    return float((slab.lung * slab.lung_density).sum()) * grid.voxel_mm3 * 1e-6


@pytest.fixture(scope="module")
def full() -> list[PhantomAnatomy]:
    return [anatomy(seed, 1.0) for seed in range(BODIES)]


@pytest.fixture(scope="module")
def capacities(full: list[PhantomAnatomy]) -> list[tuple[BodyParameters, float]]:
    """Each body with its total lung capacity in litres."""
    return [(phantom.body, lung_litres(phantom)) for phantom in full]


def test_total_lung_capacity_is_that_of_adults(
    capacities: list[tuple[BodyParameters, float]],
) -> None:
    litres = {sex: np.array([v for body, v in capacities if body.sex is sex]) for sex in Sex}
    assert 6.0 < litres[Sex.MALE].mean() < 7.4
    assert 4.2 < litres[Sex.FEMALE].mean() < 5.3
    for found in litres.values():
        assert found.min() > 2.5
        assert found.max() < 10.5


def test_tall_people_have_large_lungs(capacities: list[tuple[BodyParameters, float]]) -> None:
    men = [(body.height_cm, litres) for body, litres in capacities if body.sex is Sex.MALE]
    assert np.corrcoef(np.array(men).T)[0, 1] > 0.5


def test_breathing_out_empties_the_lung_and_keeps_its_tissue() -> None:
    share, mass = [], []
    for seed in range(8):
        out, full = anatomy(seed, 0.5), anatomy(seed, 1.0)
        share.append(lung_litres(out) / lung_litres(full))
        mass.append(lung_kg(out) / lung_kg(full))
    assert 0.44 < np.mean(share) < 0.6
    assert 0.85 < np.mean(mass) < 1.15


def test_the_right_dome_is_usually_the_higher_one(full: list[PhantomAnatomy]) -> None:
    rise = np.array([p.facts.right_dome_s - p.facts.left_dome_s for p in full])
    assert 5 < rise.mean() < 20
    assert (rise > 0).mean() > 0.8


def test_hearts_are_about_half_as_wide_as_the_chest(full: list[PhantomAnatomy]) -> None:
    ratio = np.array([p.facts.cardiothoracic_ratio for p in full])
    assert 0.40 < np.median(ratio) < 0.52
    assert ((ratio > 0.3) & (ratio < 0.72)).all()


def test_the_same_numbers_draw_the_same_body() -> None:
    first, second = (draw_body(np.random.default_rng(4)) for _ in range(2))
    assert first == second
    assert first != draw_body(np.random.default_rng(5))


def test_all_projections_and_both_sexes_are_drawn() -> None:
    rng = np.random.default_rng(0)
    bodies = [draw_body(rng) for _ in range(200)]
    assert {b.projection for b in bodies} == set(Projection)
    assert {b.sex for b in bodies} == set(Sex)
    assert all(0.72 <= b.inspiration <= 1 for b in bodies)
