"""Line integrals of a simple body, and the labels of its lung."""

import numpy as np
import pytest
import torch
from simple_anatomy import LUNG_SEMI_AXES_MM, SimpleAnatomy

from dfsynth.simulation.projection.anatomy import Elements
from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.projected_body import ProjectedBody, label_lung, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters

PLAIN = TissueParameters(2.5, None, None, None)


def project_simple(anatomy: SimpleAnatomy, beam: ConeBeam) -> ProjectedBody:
    return project_body(anatomy, LungTissue(PLAIN, anatomy, Streams(0)), 2.5, beam)


def test_the_total_signal_is_the_integral_over_the_image() -> None:
    beam = ConeBeam(96, 96, 3.6, source_mm=1e6)
    body = project_simple(SimpleAnatomy(), beam)
    over_image_m2 = float(body.dark_field.sum(dtype=np.float64)) * (beam.pixel_mm / 1000) ** 2
    assert over_image_m2 == pytest.approx(body.facts.sdf_m2, rel=0.01)
    volume_l = float(body.lung_mm.sum(dtype=np.float64)) * beam.pixel_mm**2 / 1e6
    assert volume_l == pytest.approx(body.facts.volume_l, rel=0.01)


def test_the_middle_of_a_lung_is_as_thick_as_the_lung() -> None:
    beam = ConeBeam(97, 97, 3.6, source_mm=1e6, centre_x_mm=72.0)
    body = project_simple(SimpleAnatomy(step_mm=3.0), beam)
    assert body.lung_mm[48, 48] == pytest.approx(2 * LUNG_SEMI_AXES_MM[1], rel=0.02)
    assert body.dark_field[48, 48] == pytest.approx(2.5 * 0.14, rel=0.02)


def test_vessels_replace_parenchyma_and_bone_replaces_muscle() -> None:
    class Laced(SimpleAnatomy):
        @property
        def vessels(self) -> Elements:
            return Elements(torch.tensor([[72.0, 0.0, 0.0]]), torch.tensor([500.0]))

        @property
        def bones(self) -> Elements:
            return Elements(torch.tensor([[72.0, 90.0, 60.0]]), torch.tensor([400.0]))

    beam = ConeBeam(49, 49, 7.2, source_mm=1e6)
    plain, laced = project_simple(SimpleAnatomy(), beam), project_simple(Laced(), beam)
    assert laced.lung_mm.sum() < plain.lung_mm.sum()
    assert laced.dark_field.sum() < plain.dark_field.sum()
    assert laced.bone_mm.sum() * beam.pixel_mm**2 == pytest.approx(400.0, rel=0.01)
    gained = (laced.water_mm.sum(dtype=np.float64) - plain.water_mm.sum(dtype=np.float64)) * (
        beam.pixel_mm**2
    )
    # 500 mm³ of blood for parenchyma of density 0.2, less 400 mm³ of muscle.
    assert gained == pytest.approx(500 * (1.06 - 0.2) - 400 * 1.05, abs=6)


def test_no_vessel_without_lung_around_it() -> None:
    class Stray(SimpleAnatomy):
        @property
        def vessels(self) -> Elements:
            return Elements(torch.tensor([[0.0, 0.0, 130.0]]), torch.tensor([5000.0]))

    beam = ConeBeam(49, 49, 7.2, source_mm=1e6)
    plain, stray = project_simple(SimpleAnatomy(), beam), project_simple(Stray(), beam)
    assert np.array_equal(plain.water_mm, stray.water_mm)
    assert stray.lung_mm.min() >= 0


def test_labels_tell_field_from_hidden_lung() -> None:
    body = project_simple(SimpleAnatomy(), ConeBeam(96, 96, 3.6))
    labels = label_lung(body)
    assert set(np.unique(labels)) == {0, 1, 2}
    assert (labels[body.lung_mm > 30] == 1).all()
    assert (labels[body.lung_mm == 0] == 0).all()
    covered = ProjectedBody(
        **{
            **{name: getattr(body, name) for name in ProjectedBody.__dataclass_fields__},
            "cover_mm": np.full_like(body.cover_mm, 60.0),
        }
    )
    assert set(np.unique(label_lung(covered))) == {0, 2}
