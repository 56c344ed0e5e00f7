"""Bodies on an accelerator: nothing of the CPU among it, and the numbers of the CPU."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from other_device import DEVICE, OtherDevice

from dfsynth.simulation.ct import CtThorax, draw_pose
from dfsynth.simulation.phantom import draw_body
from dfsynth.simulation.projection.projected_body import ProjectedBody
from dfsynth.simulation.scene import pose_ct, pose_phantom
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import TissueParameters, draw_tissue

CPU = torch.device("cpu")
SEED = 8
"""Of a patient with every disease."""


def ill() -> tuple[Streams, TissueParameters]:
    streams = Streams(SEED)
    return streams, draw_tissue(streams, (0.3, 0.9), frozenset())


def phantom(device: torch.device) -> ProjectedBody:
    streams, tissue = ill()
    scene = pose_phantom(draw_body(streams("body")), tissue, streams, 48, device)
    return scene.project(streams)


def posed(thorax: CtThorax, device: torch.device) -> ProjectedBody:
    streams, tissue = ill()
    pose = draw_pose(streams("pose"))
    return pose_ct(thorax.to(device), pose, tissue, streams, 48).project(streams)


def assert_same(found: ProjectedBody, expected: ProjectedBody) -> None:
    for field in fields(ProjectedBody):
        if field.name != "facts":
            one, other = getattr(found, field.name), getattr(expected, field.name)
            assert np.array_equal(one, other), field.name
    assert found.facts == expected.facts


def test_the_patient_has_every_layer_of_tissue() -> None:
    tissue = ill()[1]
    assert tissue.heterogeneity is not None
    assert tissue.emphysema is not None
    assert tissue.opacities is not None
    assert tissue.opacities.patches > 0


def test_a_phantom_lies_on_one_device() -> None:
    with OtherDevice() as device:
        found = phantom(DEVICE)
    assert device.tensors > 100
    assert_same(found, phantom(CPU))


def test_a_posed_volume_lies_on_one_device(thorax: CtThorax) -> None:
    with OtherDevice() as device:
        found = posed(thorax, DEVICE)
    assert device.tensors > 100
    assert_same(found, posed(thorax, CPU))


def test_the_watch_finds_what_a_device_would_refuse() -> None:
    with OtherDevice():
        here, there = torch.ones(3), torch.ones(3, device=DEVICE)
        assert (here.device, (2 * there).device, there.cpu().device) == (CPU, DEVICE, CPU)
        assert torch.equal(there * here.sum(), there * 3)
        for wrong in (
            lambda: here + there,
            lambda: torch.stack([here.sum(), there.sum()]),
            lambda: here[there.long()],
            there.numpy,
            lambda: torch.rand(3, device=DEVICE),
        ):
            with pytest.raises(AssertionError, match="device"):
                wrong()
