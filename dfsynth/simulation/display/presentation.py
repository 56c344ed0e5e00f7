"""Line integrals → the radiograph that an archive shows: all layers, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition import Projections
from dfsynth.simulation.display.encoding import (
    EncodingParameters,
    draw_encoding,
    read_grey,
    store_grey,
)
from dfsynth.simulation.display.equalisation import (
    EqualisationParameters,
    draw_equalisation,
    equalise,
)
from dfsynth.simulation.display.exposure import ExposureParameters, draw_exposure, expose
from dfsynth.simulation.display.framing import NO_BARS, FramingParameters, draw_framing, open_part
from dfsynth.simulation.display.grading import GradingParameters, draw_grading, grade
from dfsynth.simulation.display.grain import GrainParameters, add_grain, draw_grain
from dfsynth.simulation.display.lettering import LetteringParameters, burn, draw_lettering
from dfsynth.simulation.display.looks import Look, draw_look
from dfsynth.simulation.display.sharpening import SharpeningParameters, draw_sharpening, sharpen
from dfsynth.simulation.display.shutter import ShutterParameters, close_shutter, draw_shutter

LOOK_LAYERS = ("framing", "equalisation", "sharpening", "grain", "shutter", "lettering", "encoding")
"""Those that may be switched off; an exposure and its grading there is always."""


@dataclass(frozen=True, slots=True)
class DisplayParameters:
    """One conventional radiograph and what was done to it; a layer that is None does nothing."""

    look: Look
    exposure: ExposureParameters
    grading: GradingParameters
    framing: FramingParameters | None = None
    """For `frame_maps`, before anything else: it concerns every map of a pair."""
    equalisation: EqualisationParameters | None = None
    sharpening: SharpeningParameters | None = None
    grain: GrainParameters | None = None
    shutter: ShutterParameters | None = None
    lettering: LetteringParameters | None = None
    encoding: EncodingParameters | None = None


def draw_display(
    kvp: float | None, layers: frozenset[str], stream: Callable[[str], np.random.Generator]
) -> DisplayParameters:
    """One radiograph's look, and the layers named (of `LOOK_LAYERS`), the rest None.

    Every layer draws from `stream(name)` of its own, so that switching one off changes nothing
    in the others. Without `kvp`: 100 to 130, at the bedside 70 to 100. Most layers are drawn
    for a part of the pictures only, as archives have them.
    """
    rng = stream("look")
    look = draw_look(rng)
    usual = rng.uniform(70, 100) if look == "bedside" else rng.uniform(100, 130)
    share_sharpened, share_shuttered, share_lettered = rng.random(3)
    sharpened = "sharpening" in layers and share_sharpened < 0.7
    shuttered = "shutter" in layers and share_shuttered < 0.45
    lettered = "lettering" in layers and share_lettered < 0.85
    return DisplayParameters(
        look=look,
        exposure=draw_exposure(float(usual) if kvp is None else kvp, look, stream("exposure")),
        grading=draw_grading(look, stream("grading")),
        framing=draw_framing(look, stream("framing")) if "framing" in layers else None,
        equalisation=draw_equalisation(look, stream("equalisation"))
        if "equalisation" in layers
        else None,
        sharpening=draw_sharpening(look, stream("sharpening")) if sharpened else None,
        grain=draw_grain(look, stream("grain")) if "grain" in layers else None,
        shutter=draw_shutter(stream("shutter")) if shuttered else None,
        lettering=draw_lettering(stream("lettering")) if lettered else None,
        encoding=draw_encoding(stream("encoding")) if "encoding" in layers else None,
    )


def present(projections: Projections, parameters: DisplayParameters) -> Float32Map:
    """The `attenuation` of a pair: (y, x) float32 in [0, 1], dense bright whatever the polarity.

    The projections are in the final frame already: `frame_maps` takes them there.
    """
    shape = (projections.water_mm.shape[0], projections.water_mm.shape[1])
    image = np.zeros(shape, np.float32)
    bars = NO_BARS if parameters.framing is None else parameters.framing.bars
    # Archives pad what a machine has processed: the bars take no part in it.
    part = open_part(shape, bars)
    image[part] = _process(projections, part, parameters)
    if parameters.encoding is not None:
        image = read_grey(store_grey(image, parameters.encoding), parameters.encoding)
    return np.asarray(image, np.float32)


def _process(
    projections: Projections, part: tuple[slice, slice], parameters: DisplayParameters
) -> Float32Map:
    """Grey values in [0, 1] of one part of the picture, before it is stored."""
    pixel_mm = projections.pixel_mm
    image = expose(
        projections.water_mm[part],
        projections.bone_mm[part],
        projections.metal_mm[part],
        pixel_mm,
        parameters.exposure,
    )
    if parameters.equalisation is not None:
        image = equalise(image, pixel_mm, parameters.equalisation)
    if parameters.sharpening is not None:
        image = sharpen(image, pixel_mm, parameters.sharpening)
    image = grade(image, parameters.grading)
    if parameters.grain is not None:
        span = parameters.grading.white - parameters.grading.black
        image = add_grain(image, parameters.grain, span)
    if parameters.shutter is not None:
        image = close_shutter(image, parameters.shutter)
    if parameters.lettering is not None:
        image = burn(image, parameters.lettering)
    return np.clip(image, 0, 1)
