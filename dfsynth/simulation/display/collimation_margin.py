"""Collimation with the patient in view: whoever sets a shutter leaves the lungs open."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dfsynth.simulation.display.framing import NO_BARS, open_part
from dfsynth.simulation.display.presentation import DisplayParameters
from dfsynth.simulation.display.shutter import widen_opening


def widen_for_lungs(parameters: DisplayParameters, lungs: NDArray[np.bool_]) -> DisplayParameters:
    """The same radiograph with a shutter that hides none of `lungs`, (y, x) in the final frame.

    Bars may hide lung: where they lie, no lung is labelled.
    """
    if parameters.shutter is None:
        return parameters
    bars = NO_BARS if parameters.framing is None else parameters.framing.bars
    part = open_part((lungs.shape[0], lungs.shape[1]), bars)
    return replace(parameters, shutter=widen_opening(parameters.shutter, lungs[part]))
