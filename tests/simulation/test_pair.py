"""Pairs of images: what the radiograph does not show, no truth is told of."""

from dataclasses import replace

import numpy as np
import pytest
from simple_anatomy import SimpleAnatomy

from dfsynth.simulation.display.shutter import draw_shutter
from dfsynth.simulation.layers import ImageLayers, draw_layers
from dfsynth.simulation.pair import image_body
from dfsynth.simulation.projection.beam import ConeBeam
from dfsynth.simulation.projection.projected_body import ProjectedBody, project_body
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue import LungTissue, TissueParameters

HEALTHY = TissueParameters(2.5, None, None, None)


def projected_chest(pixel_mm: float) -> ProjectedBody:
    anatomy = SimpleAnatomy()
    tissue = LungTissue(HEALTHY, anatomy, Streams(0))
    return project_body(anatomy, tissue, 2.5, ConeBeam(64, 64, pixel_mm))


@pytest.fixture(scope="module")
def cropped() -> ProjectedBody:
    """Lungs that touch every edge of the image."""
    return projected_chest(3.7)


def shuttered(seed: int, grey: float) -> ImageLayers:
    layers = draw_layers(Streams(seed), (120, 120), 0.0, frozenset({"noise"}))
    assert layers.display is not None
    shutter = replace(draw_shutter(np.random.default_rng(seed)), grey=grey)
    return replace(
        layers,
        display=replace(layers.display, shutter=shutter, markers=None, grain=None, encoding=None),
    )


@pytest.mark.parametrize("seed", range(16))
def test_no_lung_is_labelled_where_the_shutter_hides_it(cropped: ProjectedBody, seed: int) -> None:
    dark, bright = (
        image_body(cropped, 3.7, shuttered(seed, grey), Streams(seed)).maps for grey in (0.0, 1.0)
    )
    # What the shutter hides is the shutter's own grey, and nothing else is.
    hidden = bright.attenuation - dark.attenuation
    assert np.array_equal(dark.lung_mask, bright.lung_mask)
    assert (dark.lung_mask > 0).mean() > 0.2
    assert hidden[dark.lung_mask > 0].max() < 0.01


def test_a_shutter_still_closes_beside_the_lungs() -> None:
    roomy = projected_chest(7.0)
    hidden = 0.0
    for seed in range(16):
        images = [
            image_body(roomy, 7.0, shuttered(seed, grey), Streams(seed)).maps.attenuation
            for grey in (0.0, 1.0)
        ]
        hidden += float((images[1] - images[0]).mean()) / 16
    assert hidden > 0.01
