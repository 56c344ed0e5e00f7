"""From line integrals to what an archive of conventional radiographs shows, one layer a module.

Built like `dfsynth.simulation.acquisition`; `frame_maps` places all maps of a pair, and `present`
makes the radiograph.
"""

from dfsynth.simulation.display.framing import (
    FramingParameters,
    Surface,
    draw_framing,
    frame_maps,
    framed_pixel_mm,
)
from dfsynth.simulation.display.looks import LOOKS
from dfsynth.simulation.display.presentation import (
    LOOK_LAYERS,
    DisplayParameters,
    draw_display,
    present,
)
from dfsynth.simulation.display.sparing import spare_lungs

__all__ = [
    "LOOKS",
    "LOOK_LAYERS",
    "DisplayParameters",
    "FramingParameters",
    "Surface",
    "draw_display",
    "draw_framing",
    "frame_maps",
    "framed_pixel_mm",
    "present",
    "spare_lungs",
]
