"""Four public thoraxes go all the way; half of one is refused."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from dfsynth.errors import ImageError
from dfsynth.simulation.ct import (
    CtAnatomy,
    CtLimits,
    CtThorax,
    build_thorax,
    draw_pose,
    read_volume,
)
from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.projected_body import label_lung, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters
from dfsynth.simulation.volumes import list_volumes

LIMITS = CtLimits()


def load(shared_data: Path, name: str) -> CtThorax:
    found = list_volumes(shared_data / "ct").candidates
    candidate = next(c for c in found if c.key.startswith(name))
    return build_thorax(read_volume(candidate, LIMITS), LIMITS)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "litres", "cut"),
    [
        ("cmb_crc", (3.8, 4.8), True),
        ("lidc", (3.2, 4.2), False),
        ("lung_dx", (4.7, 5.9), False),
        ("midrc", (2.3, 3.1), False),
    ],
)
def test_a_whole_thorax_is_posed(
    shared_data: Path, name: str, litres: tuple[float, float], cut: bool
) -> None:
    thorax = load(shared_data, name)
    assert litres[0] < thorax.lung_volume_l < litres[1]
    assert 0.1 < thorax.lung_density < 0.25
    assert thorax.lungs_cut == cut
    pose = draw_pose(np.random.default_rng(1))
    grid, slab = CtAnatomy(thorax, pose, ConeBeam(128, 128, 4.0)).coarse(5.0)
    volume_l = float(slab.lung.sum()) * grid.voxel_mm3 / 1e6
    expected_l = thorax.lung_volume_l * pose.inflation * pose.scale**3
    # The random displacement changes the volume a little.
    assert volume_l == pytest.approx(expected_l, rel=0.12)
    straight = dataclasses.replace(pose, warp_mm=0.0)
    grid, slab = CtAnatomy(thorax, straight, ConeBeam(128, 128, 4.0)).coarse(4.0)
    mass = float((slab.lung * slab.lung_density).sum()) * grid.voxel_mm3 / 1e6
    scanned = thorax.lung_volume_l * thorax.lung_density * pose.scale**3
    # A recess that the scan cut off peters out beyond it.
    assert mass == pytest.approx(scanned, rel=0.08 if cut else 0.03)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nlst", "dicompyler"])
def test_fields_of_both_lungs_stay_apart(shared_data: Path, name: str) -> None:
    """As drawn by people; where the mediastinum is thin they were one arch over it."""
    pose = dataclasses.replace(draw_pose(np.random.default_rng(1)), warp_mm=0.0)
    beam = ConeBeam(128, 128, 3.0)
    anatomy = CtAnatomy(load(shared_data, name), pose, beam)
    tissue = LungTissue(TissueParameters(2.5, None, None, None), anatomy, Streams(0))
    labels = label_lung(project_body(anatomy, tissue, 2.5, beam))
    _, parts = cv2.connectedComponents((labels == 1).astype(np.uint8))
    sizes = np.sort(np.bincount(parts.ravel())[1:])[::-1]
    assert sizes[1] > 0.5 * sizes[0]


def test_half_a_thorax_is_refused(shared_data: Path) -> None:
    with pytest.raises(ImageError, match=r"elastix.*two whole lungs"):
        load(shared_data, "elastix")
