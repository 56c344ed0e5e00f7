"""What was drawn for each layer of the two images of one pair."""

from dataclasses import dataclass
from typing import Final

from dfsynth.simulation.acquisition import SCAN_LAYERS, ImagingParameters, draw_imaging
from dfsynth.simulation.display import DISPLAY_LAYERS, DisplayParameters, draw_display
from dfsynth.simulation.streams import Streams

SCAN_KVP: Final = 70.0
"""Tube voltage of the dark-field scan, in kV (Willer et al., Lancet Digital Health 3, 2021)."""


@dataclass(frozen=True, slots=True)
class ImageLayers:
    """What was drawn for the two images of a pair, apart from the patient."""

    scan: ImagingParameters
    display: DisplayParameters | None
    """None leaves −ln T of an ideal radiograph, windowed alone."""
    kvp: float
    """Tube voltage of the conventional radiograph, in kV."""
    with_implants: bool

    @property
    def photons(self) -> float | None:
        """N0 of the scan: photons a detector pixel in the open field; null without noise."""
        return None if self.scan.noise is None else self.scan.noise.photons

    @property
    def visibility(self) -> float | None:
        """V0 of the scan, 0 to 1; null without noise."""
        return None if self.scan.noise is None else self.scan.noise.visibility


def draw_layers(
    streams: Streams, kvp: tuple[float, float], implants_share: float, without: frozenset[str]
) -> ImageLayers:
    """Draws the layers of a pair, but for those named in `without`.

    Args:
        streams: those of the pair; a layer that is off moves no other layer's draws.
        kvp: range of the conventional radiograph's tube voltage, in kV.
        implants_share: chance of pacemakers, cables and the like, 0 to 1.
        without: names of `dfsynth.options.LAYERS`.
    """
    voltage = float(streams("kvp").uniform(*kvp))
    return ImageLayers(
        scan=draw_imaging(SCAN_KVP, frozenset(SCAN_LAYERS) - without, streams),
        display=None
        if "display" in without
        else draw_display(voltage, frozenset(DISPLAY_LAYERS), streams),
        kvp=voltage,
        with_implants=bool(streams("devices").random() < implants_share),
    )
