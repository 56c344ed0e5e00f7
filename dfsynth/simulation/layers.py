"""Which layers there are, and what was drawn for each of one pair."""

from dataclasses import dataclass
from typing import Final

from dfsynth.simulation.acquisition import LAYERS as SCAN_LAYERS
from dfsynth.simulation.acquisition import ImagingParameters, draw_imaging
from dfsynth.simulation.display import LOOK_LAYERS, DisplayParameters, draw_display
from dfsynth.simulation.streams import Streams

TISSUE_LAYERS: Final = ("heterogeneity", "emphysema", "opacities")
LAYERS: Final = (*TISSUE_LAYERS, *SCAN_LAYERS, "display")
"""Everything that can be switched off by name."""
SCAN_KVP: Final = 70.0
"""Of the dark-field scan (Willer et al., 2021)."""


@dataclass(frozen=True, slots=True)
class ImageLayers:
    """What was drawn for the two images of a pair, apart from the patient."""

    scan: ImagingParameters
    display: DisplayParameters | None
    """None leaves −ln T of an ideal radiograph, windowed alone."""
    kvp: float
    """Tube voltage of the conventional radiograph."""
    with_devices: bool


def draw_layers(
    streams: Streams, kvp: tuple[float, float], devices_share: float, without: frozenset[str]
) -> ImageLayers:
    """Draws the layers of a pair, but for those named in `without`.

    `kvp` is the range of the conventional radiograph's tube voltage, `devices_share` the chance
    of pacemakers, cables and the like.
    """
    voltage = float(streams("kvp").uniform(*kvp))
    return ImageLayers(
        scan=draw_imaging(SCAN_KVP, frozenset(SCAN_LAYERS) - without, streams),
        display=None
        if "display" in without
        else draw_display(voltage, frozenset(LOOK_LAYERS), streams),
        kvp=voltage,
        with_devices=bool(streams("devices").random() < devices_share),
    )
