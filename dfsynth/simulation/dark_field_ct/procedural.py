"""Slices drawn from numbers alone: mostly chests, some test phantoms."""

from typing import Final

import torch

from dfsynth.simulation.dark_field_ct.chest_phantom import draw_chest
from dfsynth.simulation.dark_field_ct.insert_phantoms import draw_insert_phantom
from dfsynth.simulation.dark_field_ct.slice_object import SliceObject
from dfsynth.simulation.streams import Streams

INSERT_SHARE: Final = 0.1
"""Of procedural slices that are test phantoms [assumed]."""


def draw_procedural_slice(
    size: int,
    streams: Streams,
    device: torch.device,
    severity: tuple[float, float] = (0.0, 1.0),
    without: frozenset[str] = frozenset(),
) -> SliceObject:
    """Draws a chest or a test phantom.

    Args:
        size: pixels along each side, even; the field of view is about 400 mm.
        streams: what everything is drawn from.
        device: where it is computed.
        severity: least and greatest severity of a chest's emphysema, 0 to 1.
        without: layers of the lung tissue that are switched off.

    Raises:
        ValueError: an odd size.
    """
    if streams("kind").random() < INSERT_SHARE:
        return draw_insert_phantom(size, streams("inserts"))
    return draw_chest(size, streams, device, severity, without)
