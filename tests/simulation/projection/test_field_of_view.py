"""The image over the lungs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_anatomy import LUNG_SEMI_AXES_MM, SimpleAnatomy, cubes

from dfsynth.simulation.projection.field_of_view import (
    LungBox,
    draw_field_of_view,
    find_lungs,
    frame_lungs,
)

LUNGS = LungBox(-124.0, 124.0, -110.0, 110.0)
GRID = cubes(4.0)


def test_the_box_is_that_of_both_lungs() -> None:
    found = find_lungs(*SimpleAnatomy().coarse(2.0))
    assert found is not None
    assert found.right_mm == pytest.approx(72 + LUNG_SEMI_AXES_MM[0], abs=2.1)
    assert found.left_mm == pytest.approx(-found.right_mm, abs=0.1)
    assert found.top_mm == pytest.approx(LUNG_SEMI_AXES_MM[2], abs=2.1)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["PA", "AP", "AP supine"]))
def test_the_lungs_lie_in_the_image_but_for_what_a_margin_cuts(seed: int, projection: str) -> None:
    field_of_view = draw_field_of_view(np.random.default_rng(seed), projection)
    beam = frame_lungs(field_of_view, LUNGS, GRID, (-400.0, 400.0), 64)
    side = beam.pixel_mm * 64
    assert 220 < side <= 460.001
    assert abs(beam.centre_x_mm) < 40
    assert beam.centre_z_mm + side / 2 >= LUNGS.top_mm - 12
    assert beam.centre_z_mm - side / 2 <= LUNGS.bottom_mm + 24


def test_an_image_never_looks_past_the_end_of_a_scan() -> None:
    field_of_view = draw_field_of_view(np.random.default_rng(1), "AP")
    beam = frame_lungs(field_of_view, LUNGS, GRID, (-130.0, 118.0), 64)
    at_the_back = beam.pixel_mm * 32 * (beam.source_mm + 100) / beam.source_mm
    assert beam.centre_z_mm + at_the_back <= 118.001
    assert beam.centre_z_mm - at_the_back >= -130.001


def test_no_lungs_no_box() -> None:
    grid, body = SimpleAnatomy().coarse(8.0)
    empty = type(body)(
        body.first, body.soft, body.bone, body.lung * 0, body.lung_density, body.cover
    )
    assert find_lungs(grid, empty) is None
