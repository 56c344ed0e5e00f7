"""From line integrals to what an archive of conventional radiographs shows, one layer a module.

Built like `dfsynth.simulation.acquisition`; `frame_maps` places all maps of a pair, and `present`
makes the radiograph.
"""

from dfsynth.simulation.display.appearance import APPEARANCES, draw_appearance
from dfsynth.simulation.display.collimation_margin import widen_for_lungs
from dfsynth.simulation.display.equalisation import (
    EqualisationParameters,
    draw_equalisation,
    equalise,
)
from dfsynth.simulation.display.framing import (
    Resampling,
    frame_maps,
    framed_pixel_mm,
)
from dfsynth.simulation.display.presentation import (
    DISPLAY_LAYERS,
    DisplayParameters,
    draw_display,
    present,
)
from dfsynth.simulation.display.tone_curve import bend_greys

__all__ = [
    "APPEARANCES",
    "DISPLAY_LAYERS",
    "DisplayParameters",
    "EqualisationParameters",
    "Resampling",
    "bend_greys",
    "draw_appearance",
    "draw_display",
    "draw_equalisation",
    "equalise",
    "frame_maps",
    "framed_pixel_mm",
    "present",
    "widen_for_lungs",
]
