"""The body is what a table is not, lungs and all."""

import numpy as np
import pytest
from pet_sessions import VOXEL_MM, body_hu, body_suv

from dfsynth.simulation.pet_ct.body import body_overlap, find_body


def test_lungs_belong_to_the_body_and_the_table_does_not() -> None:
    hu = body_hu()
    body = find_body(hu, VOXEL_MM[0])
    lungs = (hu > -900) & (hu < -700)
    assert body[lungs].all()
    assert body[:, 25:27, 55:57].all()  # the arm
    assert not body[:, 43:].any()
    assert not body[:, :4].any()


@pytest.mark.parametrize("first", [0, 24])
def test_a_lung_that_is_cut_belongs_to_the_body_and_air_does_not(first: int) -> None:
    """The upper or the lower half of the chest: both lungs are open to one side."""
    hu = body_hu()[:, first : first + 24]
    body = find_body(hu, VOXEL_MM[0])
    assert body[(hu > -900) & (hu < -700)].mean() > 0.97
    assert not body[:, :, :4].any()


def test_bodies_that_move_apart_overlap_less() -> None:
    hu = body_hu()
    body = find_body(hu, VOXEL_MM[0])
    seen = np.ones_like(body)
    found = [body_overlap(body_suv(hu, shift), body, seen) for shift in (0, 4, 12)]
    assert found[0] > 0.95
    assert 0.9 > found[1] > found[2]


def test_nothing_seen_is_no_overlap() -> None:
    body = find_body(body_hu(), VOXEL_MM[0])
    nothing = np.zeros(body.shape, np.float32)
    assert body_overlap(nothing, body, np.ones_like(body)) == 0
    assert body_overlap(nothing + 1, body, np.zeros_like(body)) == 0
