"""Regions of lung and air follow from the masks alone."""

import numpy as np
import pytest
from scipy import ndimage

from dfsynth.evaluate.streaks import choose_regions


def test_regions_lie_inside_and_are_the_same_each_time(analytic) -> None:
    found = choose_regions(analytic.lung_mask, analytic.air_mask)
    assert found is not None
    assert found.lung.side == found.air.side == 30
    assert (found.lung.of(analytic.lung_mask) == 1).all()
    assert (found.air.of(analytic.air_mask) == 1).all()
    assert choose_regions(analytic.lung_mask, analytic.air_mask) == found


def test_no_other_square_stays_farther_from_the_edge(analytic) -> None:
    found = choose_regions(analytic.lung_mask, analytic.air_mask, 20)
    assert found is not None
    depth = ndimage.distance_transform_edt(analytic.lung_mask)
    tried = [
        depth[top : top + 20, left : left + 20].min()
        for top in range(0, 181)
        for left in range(0, 181)
    ]
    assert found.lung.of(depth).min() == max(tried)


def test_a_small_region_gives_the_largest_square_that_fits_both(analytic) -> None:
    air = np.zeros_like(analytic.air_mask)
    air[3:14, 60:120] = 1
    found = choose_regions(analytic.lung_mask, air)
    assert found is not None
    assert (found.lung.side, found.air.side, found.air.top) == (11, 11, 3)


@pytest.mark.parametrize("height", [0, 3])
def test_without_room_there_are_no_regions(analytic, height) -> None:
    air = np.zeros_like(analytic.air_mask)
    air[:height] = 1
    assert choose_regions(analytic.lung_mask, air) is None


def test_the_line_between_them_crosses_one_edge_where_it_can() -> None:
    lung, air = np.zeros((2, 120, 120), np.uint8)
    lung[40:80, 20:60] = 1
    lung[50:70, 70:80] = 1
    # Deepest behind the second lung; free above the first.
    air[45:75, 85:115] = 1
    air[5:29, 28:52] = 1
    found = choose_regions(lung, air, 10)
    assert found is not None
    assert found.air.top < 29
    air[:40] = 0
    found = choose_regions(lung, air, 10)
    assert found is not None
    assert found.air.left >= 85
