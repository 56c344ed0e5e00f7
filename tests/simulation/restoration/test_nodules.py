"""Nodules: as large and as dense as drawn, in lung alone, and where their labels say."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from simple_anatomy import SimpleAnatomy

from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.projected_body import project_body
from dfsynth.simulation.restoration.nodule_places import place_nodules
from dfsynth.simulation.restoration.noduled_body import NoduledBody, PlacedNodule
from dfsynth.simulation.restoration.nodules import MARGINS, Nodule, draw_nodules, shape_nodule
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters

HEALTHY = TissueParameters(2.5, None, None, None)
BEAM = ConeBeam(96, 96, 3.5)
SPHERE = Nodule(20.0, 40.0, "smooth", 3)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def volume_mm3(nodule: Nodule) -> float:
    shape = shape_nodule(nodule)
    step = nodule.diameter_mm / 32
    axis = torch.arange(-shape.reach_mm, shape.reach_mm + step, step)
    points = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
    return float(shape.share(points).sum()) * step**3


@pytest.mark.parametrize("margin", ["smooth", "lobulated"])
@pytest.mark.parametrize("seed", range(3))
def test_a_nodule_is_as_large_as_a_sphere_of_its_diameter(margin, seed) -> None:
    nodule = Nodule(18.0, 40.0, margin, seed)
    assert volume_mm3(nodule) == pytest.approx(math.pi / 6 * 18**3, rel=0.04)


def test_spicules_reach_out_of_it_and_hold_little() -> None:
    nodule = Nodule(20.0, 40.0, "spiculated", 1)
    shape = shape_nodule(nodule)
    ball = math.pi / 6 * 20**3
    assert ball < volume_mm3(nodule) < 1.6 * ball
    assert shape.reach_mm > 13
    for spicule in shape.spicules:
        direction = spicule[:3]
        assert float(shape.share(direction * (spicule[3] - 1.5))) > 0.3
        assert float(shape.share(direction * (shape.reach_mm + 1))) == 0


def test_lobes_bulge_more_than_a_smooth_margin() -> None:
    def unevenness(margin) -> float:
        found = []
        for seed in range(6):
            shape = shape_nodule(Nodule(20.0, 40.0, margin, seed))
            direction = torch.randn(4000, 3, generator=torch.Generator().manual_seed(seed))
            direction = direction / direction.norm(dim=1, keepdim=True)
            surface = shape.surface_mm(direction)
            found.append(float(surface.std() / surface.mean()))
        return float(np.mean(found))

    assert unevenness("lobulated") > 1.3 * unevenness("smooth")


def test_draws_keep_to_their_ranges_and_shares() -> None:
    drawn = [draw_nodules(0.5, (4.0, 30.0), rng(seed)) for seed in range(400)]
    some = [nodules for nodules in drawn if nodules]
    assert 150 < len(some) < 250
    assert {len(nodules) for nodules in some} == {1, 2, 3}
    every = [nodule for nodules in some for nodule in nodules]
    assert {nodule.margin for nodule in every} == set(MARGINS)
    sizes = np.array([nodule.diameter_mm for nodule in every])
    assert sizes.min() >= 4
    assert sizes.max() <= 30
    # Even on a logarithmic scale.
    assert np.median(sizes) == pytest.approx(math.sqrt(4 * 30), rel=0.15)
    assert not any(draw_nodules(0.0, (4.0, 30.0), rng(seed)) for seed in range(50))
    assert all(draw_nodules(1.0, (4.0, 30.0), rng(seed)) for seed in range(50))
    # The share moves no other draw.
    assert draw_nodules(0.5, (4.0, 30.0), rng(7)) in ((), draw_nodules(1.0, (4.0, 30.0), rng(7)))


def test_places_are_in_lung_in_the_image_and_apart() -> None:
    body = SimpleAnatomy()
    nodules = [replace(SPHERE, diameter_mm=d) for d in (30.0, 12.0, 5.0)]
    for seed in range(3):
        places = place_nodules(nodules, body, BEAM, rng(seed))
        for place in places:
            x, y, z = place.tolist()
            aside = (abs(x) - 72) / 52
            assert aside**2 + (y / 70) ** 2 + (z / 110) ** 2 < 1
        flat = [p[[0, 2]] * float(BEAM.magnification(p[1])) for p in places]
        assert float((flat[0] - flat[1]).norm()) > 21
        assert float((flat[1] - flat[2]).norm()) > 8


def projected(middle: tuple[float, float, float] | None, nodule: Nodule = SPHERE):
    anatomy = SimpleAnatomy()
    placed = []
    if middle is not None:
        density = 1 + nodule.density_hu / 1000
        placed = [PlacedNodule(shape_nodule(nodule), torch.tensor(middle), density)]
    body = NoduledBody(anatomy, placed, BEAM)
    tissue = LungTissue(HEALTHY, body, Streams(0))
    return project_body(body, tissue, 2.5, BEAM), body.paths_mm


def test_a_nodule_in_lung_adds_its_mass_and_takes_the_lungs() -> None:
    plain, none = projected(None)
    found, paths = projected((72.0, 0.0, 10.0))
    assert len(none) == 0
    path = paths[0].numpy()
    assert 14 < path.max() < 22
    added = found.water_mm - plain.water_mm
    # 0.2 is the density of this lung; blood and muscle stay.
    np.testing.assert_allclose(added, (1.04 - 0.2) * path, atol=0.05)
    np.testing.assert_allclose(found.lung_mm, plain.lung_mm - path, atol=0.05)
    volume = path.sum() * BEAM.pixel_mm**2
    assert volume == pytest.approx(math.pi / 6 * 20**3, rel=0.05)


def test_what_is_not_lung_stays() -> None:
    plain, _ = projected(None)
    found, paths = projected((0.0, 0.0, 0.0))
    assert float(paths[0].max()) < 1
    np.testing.assert_allclose(found.water_mm, plain.water_mm, atol=1)
    assert found.facts.volume_l == pytest.approx(plain.facts.volume_l, rel=1e-3)


def test_a_nodule_lies_where_its_rays_are() -> None:
    _, paths = projected((72.0, 30.0, 40.0))
    rows, columns = np.nonzero(paths[0].numpy() > 5)
    magnification = float(BEAM.magnification(torch.tensor(30.0)))
    assert columns.mean() == pytest.approx(47.5 + 72 * magnification / 3.5, abs=0.6)
    assert rows.mean() == pytest.approx(47.5 - 40 * magnification / 3.5, abs=0.6)
