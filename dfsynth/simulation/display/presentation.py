"""Line integrals → the radiograph that an archive shows: all layers, in their order."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dfsynth.records import Float32Map
from dfsynth.simulation.acquisition import Projections
from dfsynth.simulation.display.appearance import Appearance, draw_appearance
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
from dfsynth.simulation.display.grain import GrainParameters, add_grain, draw_grain
from dfsynth.simulation.display.markers import MarkerParameters, burn_markers, draw_markers
from dfsynth.simulation.display.sharpening import SharpeningParameters, draw_sharpening, sharpen
from dfsynth.simulation.display.shutter import ShutterParameters, close_shutter, draw_shutter
from dfsynth.simulation.display.tone_curve import (
    ToneCurveParameters,
    apply_tone_curve,
    draw_tone_curve,
)

DISPLAY_LAYERS = (
    "framing",
    "equalisation",
    "sharpening",
    "grain",
    "shutter",
    "markers",
    "encoding",
)
"""Those that may be switched off; an exposure and its tone curve there is always."""


@dataclass(frozen=True, slots=True)
class DisplayParameters:
    """One conventional radiograph and what was done to it; a layer that is None does nothing."""

    appearance: Appearance
    exposure: ExposureParameters
    tone_curve: ToneCurveParameters
    framing: FramingParameters | None = None
    """For `frame_maps`, before anything else: it concerns every map of a pair."""
    equalisation: EqualisationParameters | None = None
    sharpening: SharpeningParameters | None = None
    grain: GrainParameters | None = None
    shutter: ShutterParameters | None = None
    markers: MarkerParameters | None = None
    encoding: EncodingParameters | None = None


def draw_display(
    kvp: float | None, layers: frozenset[str], stream: Callable[[str], np.random.Generator]
) -> DisplayParameters:
    """Draws one radiograph's appearance and the layers named; the rest are None.

    Every layer draws from a stream of its own, so that switching one off changes nothing in the
    others. Most layers are drawn for a part of the images only, as archives have them.

    Args:
        kvp: tube voltage in kV; None draws 100 to 130, at the bedside 70 to 100.
        layers: names of `DISPLAY_LAYERS`.
        stream: gives the generator of a name.
    """
    # Three streams keep their first names, "look", "grading" and "lettering": under others, equal
    # seeds would give other images.
    rng = stream("look")
    appearance = draw_appearance(rng)
    usual = rng.uniform(70, 100) if appearance == "bedside" else rng.uniform(100, 130)
    share_sharpened, share_shuttered, share_marked = rng.random(3)
    sharpened = "sharpening" in layers and share_sharpened < 0.7
    shuttered = "shutter" in layers and share_shuttered < 0.45
    marked = "markers" in layers and share_marked < 0.85
    return DisplayParameters(
        appearance=appearance,
        exposure=draw_exposure(
            float(usual) if kvp is None else kvp, appearance, stream("exposure")
        ),
        tone_curve=draw_tone_curve(appearance, stream("grading")),
        framing=draw_framing(appearance, stream("framing")) if "framing" in layers else None,
        equalisation=draw_equalisation(appearance, stream("equalisation"))
        if "equalisation" in layers
        else None,
        sharpening=draw_sharpening(appearance, stream("sharpening")) if sharpened else None,
        grain=draw_grain(appearance, stream("grain")) if "grain" in layers else None,
        shutter=draw_shutter(stream("shutter")) if shuttered else None,
        markers=draw_markers(stream("lettering")) if marked else None,
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
    """Grey values in [0, 1] of one part of the image, before it is stored."""
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
    image = apply_tone_curve(image, parameters.tone_curve)
    if parameters.grain is not None:
        span = parameters.tone_curve.white - parameters.tone_curve.black
        image = add_grain(image, parameters.grain, span)
    if parameters.shutter is not None:
        image = close_shutter(image, parameters.shutter)
    if parameters.markers is not None:
        image = burn_markers(image, parameters.markers)
    return np.clip(image, 0, 1)
