"""Each layer that the options name can be switched off, and nothing else goes with it."""

from dataclasses import fields
from itertools import chain

import pytest

from dfsynth.options import LAYERS
from dfsynth.simulation.acquisition import SCAN_LAYERS
from dfsynth.simulation.layers import draw_layers
from dfsynth.simulation.streams import Streams
from dfsynth.simulation.tissue.parameters import draw_tissue


def switched_off(without: frozenset[str]) -> set[str]:
    """The layers of a patient and of both images that nothing was drawn for."""
    streams = Streams(3)
    tissue = draw_tissue(streams, (0.5, 1.0), without)
    layers = draw_layers(streams, (90.0, 125.0), 0.0, without)
    drawn = chain.from_iterable(
        ((field.name, getattr(record, field.name)) for field in fields(record))
        for record in (tissue, layers.scan, layers)
    )
    return {name for name, value in drawn if value is None}


def test_all_layers_are_drawn_unless_asked() -> None:
    assert switched_off(frozenset()) == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_is_switched_off_alone(layer: str) -> None:
    assert switched_off(frozenset({layer})) == {layer}


def test_options_name_every_layer_of_the_scan() -> None:
    assert set(SCAN_LAYERS) <= set(LAYERS)
