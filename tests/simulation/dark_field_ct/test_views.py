"""Shots averaged to views keep their angles."""

import pytest
import torch

from dfsynth.simulation.dark_field_ct.geometry import ScanGeometry
from dfsynth.simulation.dark_field_ct.scan_settings import ScanSettings
from dfsynth.simulation.dark_field_ct.views import average_to_views


@pytest.mark.parametrize(("side", "views"), [(128, 480), (200, 800), (400, 2400)])
def test_there_are_as_many_views_as_a_slice_needs(side: int, views: int) -> None:
    geometry = ScanGeometry.of(ScanSettings(), side, 2.0)
    angle = torch.arange(2400) * 2 * torch.pi / 2400
    integrals = torch.stack([angle.cos(), angle.sin()])[..., None].expand(2, 2400, 4)
    averaged, fewer = average_to_views(integrals, geometry)
    assert averaged.shape == (2, views, 4)
    assert fewer.shots == views
    middle = torch.arange(views) * 2 * torch.pi / views
    assert averaged[0, :, 0].numpy() == pytest.approx(middle.cos().numpy(), abs=1e-4)
    assert averaged[1, :, 3].numpy() == pytest.approx(middle.sin().numpy(), abs=1e-4)
